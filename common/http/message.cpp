#include "common/http/message.hpp"

#include <algorithm>

namespace device_streams::http {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

bool same_token(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, {}, lower, lower);
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
    const auto field = std::ranges::find_if(fields_, [&](const auto& each) { return same_token(each.first, name); });
    if (field == fields_.end()) return std::nullopt;
    return trimmed(field->second);
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
    for (const auto& [field, value] : fields_) {
        if (!same_token(field, name)) continue;
        for (std::string_view rest = value; !rest.empty();) {
            const auto comma = rest.find(',');
            if (same_token(trimmed(rest.substr(0, comma)), token)) return true;
            rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
        }
    }
    return false;
}

std::string_view Request::path() const {
    return std::string_view(target).substr(0, target.find('?'));
}

}  // namespace device_streams::http
