#include "hub/http/rest_answer.hpp"

#include "common/base/random.hpp"

#include <nlohmann/json.hpp>

namespace device_streams::hub {

namespace {
constexpr const char* json_type = "application/json; charset=utf-8";

http::Response answer_with(iothub::RestError error, std::string body) {
    const auto& info = iothub::describe(error);
    http::Response response;
    response.status = info.status;
    response.headers.add("Content-Type", json_type);
    response.headers.add("iothub-errorcode", std::string(info.name));
    response.body = std::move(body);
    return response;
}

}  // namespace

RequestRefused no_such(const iothub::Target& target) {
    if (target.module_id.empty()) return {iothub::RestError::device_not_found, "there is no such device"};
    return {iothub::RestError::module_not_found, "there is no such module"};
}

http::Response error_answer(iothub::RestError error, std::string_view text, Clock::wall_time now) {
    return answer_with(error, iothub::error_body(error, text, random_hex_id(), now));
}

http::Response registry_error_answer(iothub::RestError error, std::string_view text, Clock::wall_time now) {
    return answer_with(error, iothub::registry_error_body(error, text, random_hex_id(), now));
}

http::Response plain_error_answer(int status, std::string_view text) {
    http::Response response;
    response.status = status;
    response.headers.add("Content-Type", json_type);
    response.body = nlohmann::json{{"Message", text}, {"ExceptionMessage", ""}}.dump();
    return response;
}

}  // namespace device_streams::hub
