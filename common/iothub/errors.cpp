#include "common/iothub/errors.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

namespace device_streams::iothub {

namespace {

using nlohmann::ordered_json;

constexpr std::array table{
    RestErrorInfo{RestError::argument_invalid, 400, "ArgumentInvalid"},
    RestErrorInfo{RestError::unauthorized, 401, "IotHubUnauthorizedAccess"},
    RestErrorInfo{RestError::forbidden, 403, "IotHubForbidden"},
    RestErrorInfo{RestError::quota_exceeded, 403, "IotHubQuotaExceeded"},
    RestErrorInfo{RestError::device_not_found, 404, "DeviceNotFound"},
    RestErrorInfo{RestError::module_not_found, 404, "ModuleNotFound"},
    RestErrorInfo{RestError::device_not_online, 404, "DeviceNotOnline"},
    RestErrorInfo{RestError::device_already_exists, 409, "DeviceAlreadyExists"},
    RestErrorInfo{RestError::module_already_exists, 409, "ModuleAlreadyExistsOnDevice"},
    RestErrorInfo{RestError::precondition_failed, 412, "PreconditionFailed"},
    RestErrorInfo{RestError::throttled, 429, "ThrottlingException"},
    RestErrorInfo{RestError::server_error, 500, "ServerError"},
    RestErrorInfo{RestError::gateway_timeout, 504, "GatewayTimeout"},
};

struct Moment {
    std::chrono::year_month_day date;
    std::chrono::hh_mm_ss<std::chrono::seconds> time;
    int ticks;  // of 100 ns, within the second
};

Moment split_time(Clock::wall_time now) {
    using namespace std::chrono;
    const auto day = floor<days>(now);
    const auto second = floor<seconds>(now);
    const auto ticks = static_cast<int>(duration_cast<nanoseconds>(now - second).count() / 100);
    return {.date = day, .time = hh_mm_ss(second - time_point_cast<seconds>(day)), .ticks = ticks};
}

template <typename... Numbers>
std::string format(const char* pattern, Numbers... numbers) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), pattern, numbers...);
    return text.data();
}

std::string time_of_day(const Moment& moment) {
    return format("%02ld:%02ld:%02ld", static_cast<long>(moment.time.hours().count()),
                  static_cast<long>(moment.time.minutes().count()), static_cast<long>(moment.time.seconds().count()));
}

// 01/05/2026 10:00:30
std::string american_time(const Moment& moment) {
    const auto& date = moment.date;
    return format("%02u/%02u/%04d ", unsigned{date.month()}, unsigned{date.day()}, int{date.year()}) +
           time_of_day(moment);
}

// 2026-01-05T10:00:30.1234567Z
std::string iso_time(const Moment& moment) {
    const auto& date = moment.date;
    return format("%04d-%02u-%02uT", int{date.year()}, unsigned{date.month()}, unsigned{date.day()}) +
           time_of_day(moment) + format(".%07dZ", moment.ticks);
}

// <id>-G:0-TimeStamp:01/05/2026 10:00:30
std::string tracking(std::string_view id, const Moment& moment) {
    return std::string(id) + "-G:0-TimeStamp:" + american_time(moment);
}

std::string dump(const ordered_json& json) {
    return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

ordered_json parse_object(std::string_view text) {
    auto json = ordered_json::parse(text, nullptr, false);
    return json.is_object() ? json : ordered_json::object();
}

std::string member(const ordered_json& json, std::initializer_list<const char*> names) {
    for (const char* const name : names) {
        const auto found = json.find(name);
        if (found != json.end() && found->is_string()) return found->get<std::string>();
    }
    return {};
}

int code_named(std::string_view name) {
    const auto row = std::ranges::find(table, name, &RestErrorInfo::name);
    return row == table.end() ? 0 : static_cast<int>(row->code);
}

int code_member(const ordered_json& json) {
    const auto found = json.find("errorCode");
    if (found == json.end() || !found->is_number_integer()) return 0;
    const auto code = found->get<std::int64_t>();
    return code >= 100'000 && code <= 999'999 ? static_cast<int>(code) : 0;
}

// "ErrorCode:DeviceNotOnline;text"
std::optional<ParsedRestError> parse_older_shape(std::string_view message) {
    constexpr std::string_view prefix = "ErrorCode:";
    if (!message.starts_with(prefix)) return std::nullopt;
    message.remove_prefix(prefix.size());
    const auto semicolon = std::min(message.find(';'), message.size());
    const auto text = message.substr(std::min(semicolon + 1, message.size()));
    return ParsedRestError{.code = code_named(message.substr(0, semicolon)), .message = std::string(text)};
}

ParsedRestError parse_message(const std::string& message) {
    if (auto older = parse_older_shape(message)) return *older;
    const auto nested = parse_object(message);
    auto text = member(nested, {"message", "Message"});
    return {.code = code_member(nested), .message = text.empty() ? message : text};
}

}  // namespace

const RestErrorInfo& describe(RestError code) {
    const auto row = std::ranges::find(table, code, &RestErrorInfo::code);
    return row == table.end() ? describe(RestError::server_error) : *row;
}

// Without the member `info`: with it the C# SDK does not report the code.
std::string error_body(RestError code, std::string_view text, std::string_view tracking_id, Clock::wall_time now) {
    const auto moment = split_time(now);
    ordered_json message;
    message["errorCode"] = static_cast<int>(code);
    message["trackingId"] = tracking(tracking_id, moment);
    message["message"] = text;
    message["timestampUtc"] = iso_time(moment);
    ordered_json body;
    body["Message"] = dump(message);
    body["ExceptionMessage"] = "";
    return dump(body);
}

std::string registry_error_body(RestError code, std::string_view text, std::string_view tracking_id,
                                Clock::wall_time now) {
    ordered_json body;
    body["Message"] = "ErrorCode:" + std::string(describe(code).name) + ";" + std::string(text);
    body["ExceptionMessage"] = "Tracking ID:" + tracking(tracking_id, split_time(now));
    return dump(body);
}

ParsedRestError parse_error(std::string_view body, std::string_view errorcode_header) {
    constexpr std::size_t longest_foreign_text = 512;
    const auto message = member(parse_object(body), {"Message", "message"});
    auto parsed = message.empty()
                      ? ParsedRestError{.code = 0, .message = std::string(body.substr(0, longest_foreign_text))}
                      : parse_message(message);
    if (parsed.code == 0) parsed.code = code_named(errorcode_header);
    return parsed;
}

}  // namespace device_streams::iothub
