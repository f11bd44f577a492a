#include "hub/admin/quota_view.hpp"

#include "common/text/rfc3339.hpp"

namespace device_streams::hub {

namespace {

using nlohmann::json;

json limits_json(const QuotaLimits& limits) {
    json shown = json::object();
    if (limits.opens_per_second != 0) shown["opensPerSecond"] = limits.opens_per_second;
    if (limits.burst != 0) shown["burst"] = limits.burst;
    if (limits.streams != 0) shown["streams"] = limits.streams;
    if (limits.bytes_per_day != 0) shown["bytesPerDay"] = limits.bytes_per_day;
    return shown;
}

std::string number(const json& map, const char* key) {
    const auto found = map.find(key);
    return found == map.end() ? std::string() : std::to_string(found->get<std::uint64_t>());
}

std::string of(const std::string& limit) {
    return limit.empty() ? limit : " of " + limit;
}

std::string row_text(const std::string& name, const json& row, const json& limits) {
    return name + "  " + number(row, "streams") + of(number(limits, "streams")) + " streams  " + number(row, "bytes") +
           of(number(limits, "bytesPerDay")) + " bytes today\n";
}

std::string scope_text(const json& scope) {
    const auto name = scope.at("scope").get<std::string>();
    const auto& limits = scope.at("limits");
    const auto& rows = scope.at("use");
    std::string text;
    for (const auto& row : rows) {
        const auto whose = row.at("name").get<std::string>();
        text += row_text(name + (whose.empty() ? "" : " " + whose), row, limits);
    }
    if (name == "hub" && rows.empty()) text += row_text(name, {{"streams", 0}, {"bytes", 0}}, limits);
    const auto known = scope.at("known").get<std::size_t>();
    if (known > rows.size()) text += name + " ... and " + std::to_string(known - rows.size()) + " more\n";
    return text;
}

}  // namespace

json to_json(const QuotaUse& use) {
    json scopes = json::array();
    for (const auto scope : quota_scopes) {
        const auto& shown = at_scope(use.scopes, scope);
        json rows = json::array();
        for (const auto& row : shown.rows)
            rows.push_back({{"name", row.name}, {"streams", row.streams}, {"bytes", row.bytes}});
        scopes.push_back({{"scope", to_string(scope)},
                          {"limits", limits_json(shown.limits)},
                          {"known", shown.known},
                          {"use", std::move(rows)}});
    }
    return {
        {"day", format_full_date(use.day)}, {"endsInSeconds", use.day_ends_in.count()}, {"scopes", std::move(scopes)}};
}

std::string print_quota(const json& quota) {
    std::string text = quota.at("day").get<std::string>() + " UTC, ends in " +
                       std::to_string(quota.at("endsInSeconds").get<std::int64_t>()) + " s\n";
    for (const auto& scope : quota.at("scopes")) text += scope_text(scope);
    return text;
}

}  // namespace device_streams::hub
