#include "common/iothub/twin_request.hpp"

#include "common/iothub/stream_request.hpp"
#include "common/text/parts.hpp"

#include <nlohmann/json.hpp>

namespace device_streams::iothub {

namespace {

constexpr std::string_view get_prefix = "$iothub/twin/GET/?";
constexpr std::string_view report_prefix = "$iothub/twin/PATCH/properties/reported/?";
constexpr std::size_t longest_id = 128;  // of a text that comes back; SDKs use UUIDs and numbers

}  // namespace

std::optional<std::string> parse_twin_request(std::string_view topic) {
    for (const auto prefix : {get_prefix, report_prefix}) {
        if (!topic.starts_with(prefix)) continue;
        for (const auto part : split(topic.substr(prefix.size()), '&')) {
            const auto pair = split_pair(part);
            if (!pair || pair->name != "$rid") continue;
            const bool sane = pair->value.size() <= longest_id && is_request_id(pair->value);
            return sane ? std::optional<std::string>(pair->value) : std::nullopt;
        }
    }
    return std::nullopt;
}

std::string twin_answer_topic(int status, std::string_view request_id) {
    return "$iothub/twin/res/" + std::to_string(status) + "/?$rid=" + std::string(request_id);
}

std::string twin_error(int code, std::string_view text) {
    return nlohmann::ordered_json{{"errorCode", code}, {"message", text}}.dump();
}

}  // namespace device_streams::iothub
