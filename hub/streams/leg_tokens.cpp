#include "hub/streams/leg_tokens.hpp"

#include "common/base/random.hpp"
#include "common/text/ascii.hpp"

#include <array>

namespace device_streams::hub {

namespace {

// The scheme's name compares without regard to case (RFC 9110 section 11.1).
std::optional<std::string_view> bearer_token(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";
    if (authorization.size() <= scheme.size()) return std::nullopt;
    if (!equal_ignoring_case(authorization.substr(0, scheme.size()), scheme)) return std::nullopt;
    return authorization.substr(scheme.size());
}

}  // namespace

Secret random_signing_key() {
    std::array<unsigned char, 32> bytes{};
    fill_randomly(bytes);
    return Secret(std::string(bytes.begin(), bytes.end()));
}

LegTokens::LegTokens(std::string hub_name, Secret signing_key)
    : hub_name_(std::move(hub_name)), signing_key_(std::move(signing_key)) {
}

LegGrant LegTokens::make(const PublicAddress& address, const iothub::Target& target, const std::string& stream_id,
                         iothub::StreamRole role, std::int64_t expiry) const {
    const auto path = iothub::bridge_path({hub_name_, target, stream_id, std::string(iothub::to_string(role))});
    const iothub::StreamClaims claims{expiry,           random_hex_id(), hub_name_, target.device_id,
                                      target.module_id, stream_id,       role};
    return {"wss://" + address.host + ":" + std::to_string(address.port) + address.path_prefix + path,
            iothub::make_stream_token(claims, signing_key_)};
}

std::optional<LegTokens::Checked> LegTokens::check(std::string_view path, std::string_view authorization,
                                                   std::int64_t now) const {
    const auto parsed = iothub::parse_bridge_path(path);
    const auto token = bearer_token(authorization);
    if (!parsed || !token) return std::nullopt;
    const auto claims = iothub::verify_stream_token(*token, signing_key_);
    if (!claims || now > claims->expiry) return std::nullopt;
    const iothub::Target target{claims->device_id, claims->module_id};
    const bool same_place = claims->hub == hub_name_ && parsed->hub == hub_name_ && target == parsed->target &&
                            claims->stream_id == parsed->stream_id && iothub::to_string(claims->role) == parsed->role;
    if (!same_place) return std::nullopt;
    return Checked{claims->stream_id, target, claims->role};
}

}  // namespace device_streams::hub
