#include "common/http/message.hpp"

#include "common/text/ascii.hpp"
#include "common/text/parts.hpp"

#include <algorithm>

namespace device_streams::http {

std::optional<std::string_view> Headers::find(std::string_view name) const {
    const auto field =
        std::ranges::find_if(fields_, [&](const auto& each) { return equal_ignoring_case(each.first, name); });
    if (field == fields_.end()) return std::nullopt;
    return trim(field->second);
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
    for (const auto& [field, value] : fields_) {
        if (!equal_ignoring_case(field, name)) continue;
        for (std::string_view rest = value; !rest.empty();)
            if (equal_ignoring_case(trim(take_until(rest, ',')), token)) return true;
    }
    return false;
}

std::string_view Request::path() const {
    return std::string_view(target).substr(0, target.find('?'));
}

}  // namespace device_streams::http
