#include "hub/rest_answer.hpp"

#include "hub/leg_tickets.hpp"

#include <nlohmann/json.hpp>

namespace device_streams::hub {

namespace {
constexpr const char* json_type = "application/json; charset=utf-8";
}

http::Response error_answer(iothub::RestError error, std::string_view text, Clock::wall_time now) {
    const auto& info = iothub::describe(error);
    http::Response response;
    response.status = info.status;
    response.headers.add("Content-Type", json_type);
    response.headers.add("iothub-errorcode", std::string(info.name));
    response.body = iothub::error_body(error, text, random_hex_id(), now);
    return response;
}

http::Response plain_error_answer(int status, std::string_view text) {
    http::Response response;
    response.status = status;
    response.headers.add("Content-Type", json_type);
    response.body = nlohmann::json{{"Message", text}, {"ExceptionMessage", ""}}.dump();
    return response;
}

}  // namespace device_streams::hub
