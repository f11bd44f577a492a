#include "common/tunnel/features.hpp"

#include "common/base/random.hpp"
#include "common/text/hex.hpp"
#include "common/text/parts.hpp"

#include <algorithm>
#include <array>

namespace device_streams {

namespace {
constexpr std::string_view features_marker = "(features=";
// In parentheses of its own: hubs that know no instance read features up to the first ")".
constexpr std::string_view instance_marker = "(instance=";
constexpr std::size_t instance_bytes = 8;

struct Name {
    std::string_view text;
    bool Features::*flag;
};
constexpr std::array names{
    Name{"half-close", &Features::half_close}, Name{"big-frames", &Features::big_frames},
    Name{"pings", &Features::pings},           Name{"policy", &Features::policy},
    Name{"renewal", &Features::renewal},       Name{"reasons", &Features::reasons},
    Name{"takeover", &Features::takeover},
};

std::optional<std::string_view> between(std::string_view text, std::string_view marker) {
    const auto start = text.find(marker);
    if (start == std::string_view::npos) return std::nullopt;
    const auto found = text.substr(start + marker.size());
    const auto end = found.find(')');
    if (end == std::string_view::npos) return std::nullopt;
    return found.substr(0, end);
}

bool is_instance_id(std::string_view text) {
    return text.size() == 2 * instance_bytes && std::ranges::all_of(text, is_lower_hex_digit);
}
}  // namespace

Features parse_features(std::string_view list) {
    Features found;
    while (!list.empty()) {
        const auto word = trim(take_until(list, ','));
        for (const auto& name : names)
            if (word == name.text) found.*name.flag = true;
    }
    return found;
}

std::string to_string(const Features& features) {
    std::string list;
    for (const auto& name : names)
        if (features.*name.flag) list += (list.empty() ? "" : ",") + std::string(name.text);
    return list.empty() ? "none" : list;
}

Features common_features(const Features& a, const Features& b) {
    Features both;
    for (const auto& name : names) both.*name.flag = a.*name.flag && b.*name.flag;
    return both;
}

std::string make_instance_id() {
    return random_hex(instance_bytes);
}

std::string announce(std::string_view product, const Announcement& announcement) {
    auto text = std::string(product) + " " + std::string(features_marker) + to_string(announcement.features) + ")";
    if (!announcement.instance.empty()) text += " " + std::string(instance_marker) + announcement.instance + ")";
    return text;
}

std::optional<Announcement> parse_announcement(std::string_view client_type) {
    const auto features = between(client_type, features_marker);
    if (!features) return std::nullopt;
    const auto instance = between(client_type, instance_marker);
    const bool named = instance && is_instance_id(*instance);
    return Announcement{parse_features(*features), named ? std::string(*instance) : std::string()};
}

}  // namespace device_streams
