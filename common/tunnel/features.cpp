#include "common/tunnel/features.hpp"

#include <array>

namespace device_streams {

namespace {
constexpr std::string_view marker = "(features=";

struct Name {
    std::string_view text;
    bool Features::*flag;
};
constexpr std::array names{
    Name{"half-close", &Features::half_close},
    Name{"big-frames", &Features::big_frames},
    Name{"pings", &Features::pings},
    Name{"policy", &Features::policy},
};

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
        const auto word = trim(list.substr(0, comma));
        for (const auto& name : names)
            if (word == name.text) found.*name.flag = true;
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
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
