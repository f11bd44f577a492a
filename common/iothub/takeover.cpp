#include "common/iothub/takeover.hpp"

#include "common/base/ip_network.hpp"

namespace device_streams::iothub {

namespace {

constexpr std::string_view prefix = "$iothub/streams/takeover/";
constexpr std::string_view pair = "?$by=";
constexpr std::size_t longest_address = 45;

// No zone, which names something of one machine only.
std::string numeric_address(std::string_view text) {
    if (text.size() > longest_address || text.find('%') != std::string_view::npos) return {};
    const auto address = parse_ip_address(text);
    return address ? address->to_string() : std::string();
}

}  // namespace

std::string takeover_topic(std::string_view address) {
    const auto known = numeric_address(address);
    return std::string(prefix) + (known.empty() ? "" : std::string(pair) + known);
}

std::optional<std::string> parse_takeover_topic(std::string_view topic) {
    if (!topic.starts_with(prefix)) return std::nullopt;
    topic.remove_prefix(prefix.size());
    if (topic.empty()) return std::string();
    if (!topic.starts_with(pair)) return std::nullopt;
    topic.remove_prefix(pair.size());
    return numeric_address(topic.substr(0, topic.find('&')));
}

}  // namespace device_streams::iothub
