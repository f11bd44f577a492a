#include "common/text/ascii.hpp"

#include <algorithm>

namespace device_streams {

std::string lower_case(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), to_lower);
    return lower;
}

std::string upper_case(std::string_view text) {
    std::string upper(text);
    std::ranges::transform(upper, upper.begin(), to_upper);
    return upper;
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, {}, to_lower, to_lower);
}

bool consists_of_alphanumerics_and(std::string_view text, std::string_view others) {
    return std::ranges::all_of(
        text, [others](char c) { return is_alphanumeric(c) || others.find(c) != std::string_view::npos; });
}

}  // namespace device_streams
