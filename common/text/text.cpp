#include "common/text/text.hpp"

#include <algorithm>

namespace device_streams::iothub::text {

bool equal_ignoring_case(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, {}, to_lower, to_lower);
}

bool consists_of_alphanumerics_and(std::string_view text, std::string_view others) {
    return std::ranges::all_of(
        text, [others](char c) { return is_alphanumeric(c) || others.find(c) != std::string_view::npos; });
}

std::vector<std::string_view> split(std::string_view text, char separator, std::size_t most) {
    std::vector<std::string_view> parts;
    for (;;) {
        if (parts.size() == most) return {};
        const auto end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::optional<Pair> split_pair(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    return Pair{.name = text.substr(0, equals), .value = text.substr(equals + 1)};
}

}  // namespace device_streams::iothub::text
