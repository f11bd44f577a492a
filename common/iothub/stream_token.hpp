#pragma once

#include "common/base/secret.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace device_streams::iothub {

enum class StreamRole { device, service };
std::string_view to_string(StreamRole role);

/// What our streaming tokens say. Clients never look inside. Single use is the hub's business.
struct StreamClaims {
    std::int64_t expiry = 0;  ///< exp, Unix seconds
    std::string token_id;     ///< jti
    std::string hub;          ///< iothub
    std::string device_id;
    std::string module_id;  ///< absent when empty
    std::string stream_id;  ///< sid, 32 hex digits
    StreamRole role = StreamRole::device;

    bool operator==(const StreamClaims&) const = default;
};

/// A JWT (RFC 7519) signed with HS256; the claims stand in the order of the members above. `signing_key` is raw bytes;
/// an empty one throws Failure(internal).
Secret make_stream_token(const StreamClaims& claims, const Secret& signing_key);

/// nullopt when malformed or not signed with the key (constant time); nothing of the token is looked into before the
/// signature is right. Expiry is the caller's to check.
std::optional<StreamClaims> verify_stream_token(std::string_view token, const Secret& signing_key);

}  // namespace device_streams::iothub
