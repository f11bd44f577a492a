#include "common/mqtt/codec.hpp"

namespace device_streams::mqtt {

namespace {
constexpr std::string_view wildcards = "+#";

// Cuts the first level and its separator off.
std::string_view take_level(std::string_view& rest, bool& more) {
    const auto end = rest.find('/');
    const auto level = rest.substr(0, end);
    more = end != std::string_view::npos;
    rest.remove_prefix(more ? end + 1 : rest.size());
    return level;
}
}  // namespace

bool is_valid_filter(std::string_view filter) {
    if (filter.empty()) return false;
    for (bool more = true; more;) {
        const auto level = take_level(filter, more);
        const bool wildcard = level.find_first_of(wildcards) != std::string_view::npos;
        if (wildcard && (level.size() > 1 || (level == "#" && more))) return false;
    }
    return true;
}

bool is_valid_topic(std::string_view topic) {
    return !topic.empty() && topic.find_first_of(wildcards) == std::string_view::npos;
}

bool topic_matches(std::string_view filter, std::string_view topic) {
    const bool system_topic = topic.starts_with('$');
    if (system_topic && (filter.starts_with('#') || filter.starts_with('+'))) return false;
    for (bool more_filter = true, more_topic = true;;) {
        const auto wanted = take_level(filter, more_filter);
        if (wanted == "#") return true;
        if (!more_topic) return false;
        const auto level = take_level(topic, more_topic);
        if (wanted != "+" && wanted != level) return false;
        if (!more_filter) return !more_topic;
    }
}

std::string_view loggable_topic(std::string_view topic) {
    return topic.substr(0, topic.find('?'));
}

}  // namespace device_streams::mqtt
