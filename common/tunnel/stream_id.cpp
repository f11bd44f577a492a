#include "common/tunnel/stream_id.hpp"

#include "common/base/random.hpp"
#include "common/text/ascii.hpp"
#include "common/text/hex.hpp"

#include <algorithm>

namespace device_streams {

namespace {
constexpr std::size_t id_digits = 8;
constexpr std::size_t longest_service_name = 64;

bool is_feature_letter(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z');
}
}  // namespace

StreamName make_stream_name(std::string_view service) {
    return {std::string(service), random_hex(id_digits / 2)};
}

std::string to_string(const StreamName& name) {
    return name.service + "." + name.id;
}

std::optional<StreamName> parse_stream_name(std::string_view name) {
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos || dot == 0) return std::nullopt;
    const auto suffix = name.substr(dot + 1);
    const auto id = suffix.substr(0, id_digits);
    const auto rest = suffix.substr(id.size());
    if (id.size() != id_digits || !std::ranges::all_of(id, is_lower_hex_digit)) return std::nullopt;
    if (!rest.empty() && (rest.size() < 2 || rest[0] != '-' || !std::ranges::all_of(rest.substr(1), is_feature_letter)))
        return std::nullopt;
    return StreamName{std::string(name.substr(0, dot)), std::string(id)};
}

std::string service_of(std::string_view name) {
    const auto parsed = parse_stream_name(name);
    return parsed ? parsed->service : std::string(name);
}

bool is_valid_service_name(std::string_view name) {
    return !name.empty() && name.size() <= longest_service_name && consists_of_alphanumerics_and(name, "_-");
}

std::string loggable_stream_id(std::string_view name) {
    const auto parsed = parse_stream_name(name);
    return parsed ? parsed->id : std::string(name);
}

}  // namespace device_streams
