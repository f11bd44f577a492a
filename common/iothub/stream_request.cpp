#include "common/iothub/stream_request.hpp"

#include "common/iothub/connection_string.hpp"
#include "common/iothub/refusal_reason.hpp"
#include "common/text/ascii.hpp"
#include "common/text/decimal.hpp"
#include "common/text/parts.hpp"
#include "common/text/percent.hpp"

#include <algorithm>

namespace device_streams::iothub {

namespace {

constexpr std::string_view request_prefix = "$iothub/streams/POST/";
constexpr std::string_view answer_prefix = "$iothub/streams/res/";
constexpr std::string_view answer_id_key = "/?$rid=", answer_reason_key = "&$reason=";

struct Properties {
    std::optional<std::string_view> request_id, url, token, features, policy;

    std::optional<std::string_view>* find(std::string_view name) {
        if (name == "$rid") return &request_id;
        if (name == "$url") return &url;
        if (name == "$auth") return &token;
        if (name == "$features") return &features;
        if (name == "$policy") return &policy;
        return nullptr;
    }
};

std::optional<Properties> collect_properties(std::string_view text) {
    Properties properties;
    for (const auto part : split(text, '&')) {
        const auto pair = split_pair(part);
        auto* const known = pair ? properties.find(pair->name) : nullptr;
        if (known == nullptr) continue;
        if (*known || pair->value.empty()) return std::nullopt;
        *known = pair->value;
    }
    if (!properties.request_id || !properties.url || !properties.token) return std::nullopt;
    return properties;
}

// The token goes into an HTTP header: anything but the characters of RFC 6750 could smuggle in another header.
bool is_bearer_token(std::string_view token) {
    return consists_of_alphanumerics_and(token, "-._~+/=");
}

}  // namespace

bool is_request_id(std::string_view id) {
    return !id.empty() && std::ranges::all_of(id, is_visible) && id.find_first_of("/+#&") == std::string::npos;
}

std::string request_topic(const StreamRequest& request) {
    std::string topic(request_prefix);
    topic += request.name + "/?$rid=" + request.request_id;
    topic += "&$url=" + percent_encode(request.url);
    topic += "&$auth=";
    topic += request.token.reveal();
    if (!request.features.empty()) topic += "&$features=" + percent_encode(request.features, ",");
    if (!request.policy.empty()) topic += "&$policy=" + percent_encode(request.policy);
    return topic;
}

std::optional<StreamRequest> parse_request_topic(std::string_view topic) {
    constexpr std::size_t segments_after_prefix = 2;
    if (!topic.starts_with(request_prefix)) return std::nullopt;
    const auto segments = split(topic.substr(request_prefix.size()), '/', segments_after_prefix);
    if (segments.size() != segments_after_prefix || segments[0].empty() || !segments[1].starts_with('?'))
        return std::nullopt;
    const auto properties = collect_properties(segments[1].substr(1));
    if (!properties || !is_request_id(*properties->request_id) || !is_bearer_token(*properties->token))
        return std::nullopt;
    const auto url = percent_decode(*properties->url);
    const auto features = percent_decode(properties->features.value_or(std::string_view{}));
    const auto policy = percent_decode(properties->policy.value_or(std::string_view{}));
    if (!url || !parse_stream_url(*url) || !features || !policy) return std::nullopt;
    if (!policy->empty() && !is_valid_policy_name(*policy)) return std::nullopt;
    return StreamRequest{.name = std::string(segments[0]),
                         .request_id = std::string(*properties->request_id),
                         .url = *url,
                         .token = Secret(std::string(*properties->token)),
                         .features = *features,
                         .policy = *policy};
}

std::optional<std::string> request_id_of(std::string_view topic) {
    constexpr std::size_t longest = 128;  // of an id that comes from nobody knows whom
    if (!topic.starts_with(request_prefix)) return std::nullopt;
    take_until(topic, '?');
    for (const auto part : split(topic, '&')) {
        const auto pair = split_pair(part);
        if (!pair || pair->name != "$rid") continue;
        const bool sane = pair->value.size() <= longest && is_request_id(pair->value);
        return sane ? std::optional<std::string>(pair->value) : std::nullopt;
    }
    return std::nullopt;
}

std::string answer_topic(const StreamAnswer& answer) {
    auto topic = std::string(answer_prefix) + std::to_string(answer.status) + std::string(answer_id_key);
    topic += answer.request_id;
    const auto reason = answer.reason ? wire_name(*answer.reason) : std::nullopt;
    if (reason) topic += std::string(answer_reason_key) + std::string(*reason);
    return topic;
}

std::optional<StreamAnswer> parse_answer_topic(std::string_view topic) {
    constexpr std::size_t status_digits = 3;
    if (!topic.starts_with(answer_prefix)) return std::nullopt;
    topic.remove_prefix(answer_prefix.size());
    const auto status = parse_decimal<int>(topic.substr(0, status_digits));
    if (!status || *status < 100) return std::nullopt;
    topic.remove_prefix(status_digits);
    if (!topic.starts_with(answer_id_key)) return std::nullopt;
    topic.remove_prefix(answer_id_key.size());
    const auto request_id = topic.substr(0, topic.find_first_of("&/"));
    if (!is_request_id(request_id)) return std::nullopt;
    topic.remove_prefix(request_id.size());
    StreamAnswer answer{.status = *status, .request_id = std::string(request_id)};
    if (!answer.accepted() && topic.starts_with(answer_reason_key))
        answer.reason = parse_refusal_reason(topic.substr(answer_reason_key.size()));
    return answer;
}

bool is_valid_stream_name(std::string_view name) {
    constexpr std::size_t longest = 128;
    return !name.empty() && name.size() <= longest && consists_of_alphanumerics_and(name, "._-");
}

}  // namespace device_streams::iothub
