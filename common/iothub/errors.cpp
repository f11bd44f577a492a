#include "common/iothub/errors.hpp"

#include "common/text/rfc3339.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace device_streams::iothub {

namespace {

using nlohmann::ordered_json;

constexpr std::array table{
    RestErrorInfo{RestError::argument_invalid, 400, "ArgumentInvalid"},
    RestErrorInfo{RestError::unauthorized, 401, "IotHubUnauthorizedAccess"},
    RestErrorInfo{RestError::forbidden, 403, "IotHubForbidden"},
    RestErrorInfo{RestError::quota_exceeded, 403, "IotHubQuotaExceeded"},
    RestErrorInfo{RestError::not_found, 404, "GenericNotFound"},
    RestErrorInfo{RestError::device_not_found, 404, "DeviceNotFound"},
    RestErrorInfo{RestError::module_not_found, 404, "ModuleNotFound"},
    RestErrorInfo{RestError::device_not_online, 404, "DeviceNotOnline"},
    RestErrorInfo{RestError::device_already_exists, 409, "DeviceAlreadyExists"},
    RestErrorInfo{RestError::module_already_exists, 409, "ModuleAlreadyExistsOnDevice"},
    RestErrorInfo{RestError::precondition_failed, 412, "PreconditionFailed"},
    RestErrorInfo{RestError::throttled, 429, "ThrottlingException"},
    RestErrorInfo{RestError::server_error, 500, "ServerError"},
    RestErrorInfo{RestError::not_implemented, 501, "NotImplemented"},
    RestErrorInfo{RestError::gateway_timeout, 504, "GatewayTimeout"},
};

// 01/05/2026 10:00:30
std::string american_time(Clock::wall_time when) {
    const auto text = format_rfc3339(std::chrono::floor<std::chrono::seconds>(when));
    return text.substr(5, 2) + "/" + text.substr(8, 2) + "/" + text.substr(0, 4) + " " + text.substr(11, 8);
}

// <id>-G:0-TimeStamp:01/05/2026 10:00:30
std::string tracking(std::string_view id, Clock::wall_time when) {
    return std::string(id) + "-G:0-TimeStamp:" + american_time(when);
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
    ordered_json message;
    message["errorCode"] = static_cast<int>(code);
    message["trackingId"] = tracking(tracking_id, now);
    message["message"] = text;
    message["timestampUtc"] = format_rfc3339(now, 7);
    ordered_json body;
    body["Message"] = dump(message);
    body["ExceptionMessage"] = "";
    return dump(body);
}

std::string registry_error_body(RestError code, std::string_view text, std::string_view tracking_id,
                                Clock::wall_time now) {
    ordered_json body;
    body["Message"] = "ErrorCode:" + std::string(describe(code).name) + ";" + std::string(text);
    body["ExceptionMessage"] = "Tracking ID:" + tracking(tracking_id, now);
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
