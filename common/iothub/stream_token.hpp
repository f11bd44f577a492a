#pragma once

#include "common/base/secret.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace device_streams::iothub {

enum class StreamRole { device, service };
std::string_view to_string(StreamRole role);

/// What our streaming tokens say (protocol.md 7.3). Single use is the hub's business.
struct StreamClaims {
    std::int64_t expiry = 0;
    std::string token_id;   ///< jti
    std::string hub;        ///< iothub
    std::string device_id;
    std::string module_id;  ///< absent when empty
    std::string stream_id;  ///< sid, 32 hex digits
    StreamRole role = StreamRole::device;
};

/// HS256 JWT; claim order as in protocol.md 13.4.
Secret make_stream_token(const StreamClaims& claims, const Secret& signing_key);
/// nullopt when malformed or not signed with the key (constant time). Expiry is the caller's to check.
std::optional<StreamClaims> verify_stream_token(std::string_view token, const Secret& signing_key);

}  // namespace device_streams::iothub
