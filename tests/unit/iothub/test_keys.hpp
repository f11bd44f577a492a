#pragma once

#include "common/base/secret.hpp"

#include <cstdint>

namespace device_streams::iothub::vectors {

// The keys and the moment that all vectors of docs/protocol.md 13 share.
inline const Secret device_key{"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="};
inline const Secret service_key{"ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="};
inline const Secret streaming_key{"streaming-endpoint-signing-key-0"};
inline constexpr std::int64_t expiry = 1893456000;  // 2030-01-01 00:00:00 UTC

inline constexpr const char* d2_token =
    "SharedAccessSignature sr=hub1.iot.example%2Fdevices%2Fdev-01"
    "&sig=S%2FvXd9tQVn3h0FAFNYLUItTQ94VJSnuW%2BZVravSAFnc%3D&se=1893456000";
inline constexpr const char* device_stream_token =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."
    "eyJleHAiOjE4OTM0NTYwMDAsImp0aSI6InE3bUsydjBjVDF5NmVZYkozblpyWHciLCJpb3RodWIiOiJodWIxIiwiZGV2aWNlSWQiOiJkZXYtMDEi"
    "LCJzaWQiOiIwZjFlMmQzYzRiNWE2OTc4ODc5NmE1YjRjM2QyZTFmMCIsInJvbGUiOiJkZXZpY2UifQ."
    "_rTUm59Rta7AFsHbimBN7SP6ZWIZOd_Oc2kNbNkU5so";
inline constexpr const char* service_stream_token =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."
    "eyJleHAiOjE4OTM0NTYwMDAsImp0aSI6InE3bUsydjBjVDF5NmVZYkozblpyWHciLCJpb3RodWIiOiJodWIxIiwiZGV2aWNlSWQiOiJkZXYtMDEi"
    "LCJzaWQiOiIwZjFlMmQzYzRiNWE2OTc4ODc5NmE1YjRjM2QyZTFmMCIsInJvbGUiOiJzZXJ2aWNlIn0."
    "yeyZMkxBJcH_46vGr8e96lHyTe3XnTMPfv-0vycY2-E";

}  // namespace device_streams::iothub::vectors
