#include "hub/http/registry_request.hpp"

#include "common/iothub/connection_string.hpp"
#include "common/text/ascii.hpp"
#include "common/text/decimal.hpp"
#include "common/text/parts.hpp"
#include "common/text/percent.hpp"

#include <algorithm>

namespace device_streams::hub {

namespace {

constexpr std::string_view root = "/devices";

std::optional<std::string> identity_id(std::string_view segment) {
    auto id = percent_decode(segment);
    if (!id || !iothub::is_valid_identity_id(*id)) return std::nullopt;
    return id;
}

std::string_view without(std::string_view prefix, std::string_view text) {
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

}  // namespace

bool is_registry_path(std::string_view decoded_path) {
    return decoded_path == root || decoded_path.starts_with("/devices/");
}

std::optional<RegistryPath> parse_registry_path(std::string_view path) {
    if (!is_registry_path(path)) return std::nullopt;
    const auto segments = split(without("/", path.substr(root.size())), '/', 3);
    if (segments.size() == 1 && segments[0].empty()) return RegistryPath{};
    if (segments.empty() || (segments.size() > 1 && segments[1] != "modules")) return std::nullopt;
    const auto device = identity_id(segments[0]);
    const auto module = segments.size() == 3 ? identity_id(segments[2]) : std::string();
    if (!device || !module) return std::nullopt;
    return RegistryPath{{*device, *module}, segments.size() == 2};
}

std::optional<std::string> wanted_etag(const http::Headers& headers) {
    auto value = headers.find("If-Match");
    if (!value) return std::nullopt;
    auto etag = without("W/", *value);
    if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"')) etag = etag.substr(1, etag.size() - 2);
    if (etag == "*") return std::string();
    // An empty one is no wildcard: it stands for an etag that nothing has.
    return etag.empty() ? "none" : std::string(etag);
}

std::optional<std::size_t> wanted_length(std::string_view request_target) {
    const auto question = request_target.find('?');
    if (question == std::string_view::npos) return longest_list;
    for (const auto part : split(request_target.substr(question + 1), '&')) {
        const auto pair = split_pair(part);
        if (!pair || pair->name != "top") continue;
        if (pair->value.empty() || !std::ranges::all_of(pair->value, is_digit)) return std::nullopt;
        const auto number = parse_decimal<std::size_t>(pair->value).value_or(longest_list);
        return number == 0 ? longest_list : std::min(number, longest_list);
    }
    return longest_list;
}

}  // namespace device_streams::hub
