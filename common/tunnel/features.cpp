#include "common/tunnel/features.hpp"

namespace device_streams {

namespace {
constexpr std::string_view marker = "(features=";

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}
}  // namespace

Features parse_features(std::string_view list) {
    Features found;
    while (!list.empty()) {
        const auto comma = list.find(',');
        const auto name = trim(list.substr(0, comma));
        if (name == "half-close") found.half_close = true;
        if (name == "big-frames") found.big_frames = true;
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    }
    return found;
}

std::string to_string(const Features& features) {
    std::string list;
    if (features.half_close) list += "half-close";
    if (features.big_frames) list += list.empty() ? "big-frames" : ",big-frames";
    return list.empty() ? "none" : list;
}

Features common_features(const Features& a, const Features& b) {
    return {.half_close = a.half_close && b.half_close, .big_frames = a.big_frames && b.big_frames};
}

std::string announce_features(std::string_view product, const Features& features) {
    return std::string(product) + " " + std::string(marker) + to_string(features) + ")";
}

Features parse_announcement(std::string_view client_type, bool& announced) {
    const auto start = client_type.find(marker);
    const auto end = client_type.find(')', start == std::string_view::npos ? 0 : start);
    announced = start != std::string_view::npos && end != std::string_view::npos;
    if (!announced) return {};
    return parse_features(client_type.substr(start + marker.size(), end - start - marker.size()));
}

}  // namespace device_streams
