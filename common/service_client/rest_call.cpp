#include "common/service_client/rest_call.hpp"

#include "common/base/version.hpp"
#include "common/iothub/errors.hpp"
#include "common/iothub/refusal_reason.hpp"
#include "common/iothub/stream_headers.hpp"
#include "common/text/ascii.hpp"
#include "common/text/decimal.hpp"
#include "common/tunnel/leg_upgrade.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace device_streams::service {

namespace {

constexpr std::size_t longest_quote = 300;

std::string in_seconds(Clock::duration length) {
    return std::to_string(std::chrono::ceil<std::chrono::seconds>(length).count());
}

// What a hub says goes to logs: one line, bounded, and never a token that it may have echoed.
std::string quotable(std::string_view text) {
    for (const std::string_view sensitive : {"SharedAccessSignature", "SharedAccessKey", "Bearer ", "sig="})
        text = text.substr(0, text.find(sensitive));
    std::string quote(text.substr(0, longest_quote));
    std::ranges::replace_if(quote, is_control_character, ' ');
    return quote;
}

iothub::ParsedRestError error_in(const http::Response& answer) {
    return iothub::parse_error(answer.body, answer.headers.find("iothub-errorcode").value_or(""));
}

Errc errc_of(int status, int code) {
    using iothub::RestError;
    switch (static_cast<RestError>(code)) {
        case RestError::device_not_found:
        case RestError::module_not_found:
            return Errc::device_unknown;
        case RestError::device_not_online:
            return Errc::device_offline;
        case RestError::gateway_timeout:
            return Errc::device_silent;
        case RestError::quota_exceeded:
            return Errc::quota_exceeded;
        default:
            break;
    }
    if (status == 401 || status == 403) return Errc::service_unauthorized;
    if (status == 429) return Errc::throttled;
    if (status >= 500 && status <= 599) return Errc::hub_failed;
    if (status >= 400 && status <= 499) return Errc::request_refused;
    return Errc::hub_protocol;
}

Failure refusal(const http::Response& answer, const std::string& device) {
    const auto errc = errc_of(answer.status, error_in(answer).code);
    const bool about_device =
        errc == Errc::device_unknown || errc == Errc::device_offline || errc == Errc::device_silent;
    return {errc, (about_device ? device + ", " : "") + describe_answer(answer)};
}

void take_features(const http::Response& answer, Granted& granted) {
    const auto features = answer.headers.find(features_header).value_or("");
    granted.hub_is_ours = from_own_hub(features);
    granted.features = common_features(own_features, parse_features(features));
}

// The device's reason, whose next step is one at the device.
Failure rejection(const http::Response& answer, const std::string& device) {
    const auto reason = iothub::parse_refusal_reason(answer.headers.find(iothub::reason_header).value_or(""));
    if (!reason) return {Errc::stream_rejected, device};
    const auto& info = describe(*reason);
    auto advice = info.advice;
    advice.remove_suffix(1);  // its full stop
    return {Errc::stream_rejected, device + ", " + std::string(info.id) + " " + std::string(info.summary) +
                                       " (on the device: " + std::string(advice) + ")"};
}

std::string without(std::string_view header) {
    return "without the header " + std::string(header);
}

Failure unexpected(const http::Response& answer, const std::string& what) {
    return {Errc::hub_protocol, "status " + std::to_string(answer.status) + " " + what};
}

}  // namespace

http::Request make_stream_call(const iothub::ServicePath& what, const std::string& host, const Secret& token,
                               const OpenLimits& limits, bool offer_leg) {
    http::Request call;
    call.method = "POST";
    call.target = iothub::service_path(what, iothub::api_version);
    call.headers.add("Host", host);
    call.headers.add("Authorization", std::string(token.reveal()));
    call.headers.add(std::string(iothub::connect_timeout_header), in_seconds(limits.connect));
    call.headers.add(std::string(iothub::response_timeout_header), in_seconds(limits.response));
    call.headers.add(std::string(features_header), to_string(own_features));
    call.headers.add("User-Agent", std::string("service-proxy/") + version);
    if (offer_leg) add_leg_upgrade(call.headers);
    return call;
}

std::optional<std::chrono::seconds> retry_after(const http::Response& answer) {
    constexpr std::int64_t year = 365 * 24 * 3600;
    const auto text = answer.headers.find("Retry-After").value_or("");
    const auto seconds = parse_decimal<std::int64_t>(text);
    if (!seconds) return std::nullopt;
    return std::chrono::seconds(std::min(*seconds, year));
}

std::string describe_answer(const http::Response& answer) {
    auto text = "status " + std::to_string(answer.status);
    const auto error = error_in(answer);
    if (error.code != 0) text += ", error " + std::to_string(error.code);
    const auto said = quotable(error.message.empty() ? std::string_view(answer.body) : error.message);
    if (!said.empty()) text += ": " + said;
    if (const auto wait = retry_after(answer)) text += "; Retry-After: " + std::to_string(wait->count()) + " s";
    return text;
}

std::variant<Granted, Failure> interpret_answer(const http::Response& answer, const std::string& device) {
    if (answer.status == 101) {
        Granted granted;
        granted.leg_is_here = true;
        take_features(answer, granted);
        if (granted.hub_is_ours && has_leg_upgrade(answer.headers)) return granted;
        return unexpected(answer, "that nobody asked for");
    }
    if (answer.status != 200 && answer.status != 202) return refusal(answer, device);
    const auto accepted = answer.headers.find(iothub::accepted_header);
    if (!accepted) return unexpected(answer, without(iothub::accepted_header));
    if (equal_ignoring_case(*accepted, "false")) return rejection(answer, device);
    if (!equal_ignoring_case(*accepted, "true"))
        return unexpected(answer, "with a strange " + std::string(iothub::accepted_header));

    const auto url = iothub::parse_stream_url(answer.headers.find(iothub::url_header).value_or(""));
    if (!url) return unexpected(answer, "without a usable " + std::string(iothub::url_header));
    const auto token = answer.headers.find(iothub::token_header);
    if (!token || token->empty()) return unexpected(answer, without(iothub::token_header));

    Granted granted;
    granted.url = *url;
    granted.token = Secret(std::string(*token));
    take_features(answer, granted);
    return granted;
}

}  // namespace device_streams::service
