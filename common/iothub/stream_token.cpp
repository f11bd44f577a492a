#include "common/iothub/stream_token.hpp"

#include "common/base/hmac.hpp"
#include "common/text/base64.hpp"

#include <nlohmann/json.hpp>

namespace device_streams::iothub {

namespace {

using nlohmann::ordered_json;

constexpr std::string_view header = R"({"typ":"JWT","alg":"HS256"})";

std::string claims_text(const StreamClaims& claims) {
    ordered_json json;
    json["exp"] = claims.expiry;
    json["jti"] = claims.token_id;
    json["iothub"] = claims.hub;
    json["deviceId"] = claims.device_id;
    if (!claims.module_id.empty()) json["moduleId"] = claims.module_id;
    json["sid"] = claims.stream_id;
    json["role"] = to_string(claims.role);
    return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::optional<std::string> string_claim(const ordered_json& json, const char* name) {
    const auto member = json.find(name);
    if (member == json.end() || !member->is_string()) return std::nullopt;
    return member->get<std::string>();
}

std::optional<StreamRole> parse_role(std::string_view text) {
    if (text == to_string(StreamRole::device)) return StreamRole::device;
    if (text == to_string(StreamRole::service)) return StreamRole::service;
    return std::nullopt;
}

std::optional<StreamClaims> parse_claims(std::string_view text) {
    const auto json = ordered_json::parse(text, nullptr, false);
    if (!json.is_object()) return std::nullopt;
    const auto expiry = json.find("exp");
    const auto token_id = string_claim(json, "jti");
    const auto hub = string_claim(json, "iothub");
    const auto device_id = string_claim(json, "deviceId");
    const auto stream_id = string_claim(json, "sid");
    const auto role = parse_role(string_claim(json, "role").value_or(""));
    const bool whole_seconds = expiry != json.end() && expiry->is_number_integer();
    if (!whole_seconds || !token_id || !hub || !device_id || !stream_id || !role) return std::nullopt;
    return StreamClaims{.expiry = expiry->get<std::int64_t>(),
                        .token_id = *token_id,
                        .hub = *hub,
                        .device_id = *device_id,
                        .module_id = string_claim(json, "moduleId").value_or(""),
                        .stream_id = *stream_id,
                        .role = *role};
}

}  // namespace

std::string_view to_string(StreamRole role) {
    return role == StreamRole::device ? "device" : "service";
}

Secret make_stream_token(const StreamClaims& claims, const Secret& signing_key) {
    const auto signed_part = base64url_encode(header) + "." + base64url_encode(claims_text(claims));
    return Secret(signed_part + "." + base64url_encode(hmac_sha256(signing_key, signed_part)));
}

// The header must be the one we write, byte for byte: no other algorithm can be smuggled in.
std::optional<StreamClaims> verify_stream_token(std::string_view token, const Secret& signing_key) {
    const auto end_of_claims = token.rfind('.');
    if (end_of_claims == std::string_view::npos || signing_key.empty()) return std::nullopt;
    const auto signed_part = token.substr(0, end_of_claims);
    const auto signature = base64url_decode(token.substr(end_of_claims + 1));
    if (!signature || !equal_in_constant_time(hmac_sha256(signing_key, signed_part), *signature)) return std::nullopt;
    const auto expected_start = base64url_encode(header) + ".";
    if (!signed_part.starts_with(expected_start)) return std::nullopt;
    const auto claims = base64url_decode(signed_part.substr(expected_start.size()));
    return claims ? parse_claims(*claims) : std::nullopt;
}

}  // namespace device_streams::iothub
