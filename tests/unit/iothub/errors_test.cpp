#include "common/iothub/errors.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace device_streams::iothub {
namespace {

using namespace std::chrono_literals;

constexpr const char* tracking_id = "0123456789abcdef0123456789abcdef";
const Clock::wall_time moment = std::chrono::sys_days(std::chrono::year(2026) / 1 / 5) + 10h + 30s + 123456789ns;

TEST(RestError, KnowsStatusAndNameOfEachCode) {
    EXPECT_EQ(describe(RestError::device_not_online).status, 404);
    EXPECT_EQ(describe(RestError::device_not_online).name, "DeviceNotOnline");
    EXPECT_EQ(describe(RestError::gateway_timeout).status, 504);
    EXPECT_EQ(describe(RestError::unauthorized).name, "IotHubUnauthorizedAccess");
    EXPECT_EQ(describe(RestError::throttled).name, "ThrottlingException");
    EXPECT_EQ(describe(static_cast<RestError>(1)).code, RestError::server_error);
}

TEST(RestError, StatusIsTheFirstHalfOfTheCode) {
    for (const auto code :
         {RestError::argument_invalid, RestError::unauthorized, RestError::forbidden, RestError::quota_exceeded,
          RestError::device_not_found, RestError::module_not_found, RestError::device_not_online, RestError::throttled,
          RestError::not_implemented, RestError::not_found, RestError::server_error, RestError::gateway_timeout,
          RestError::device_already_exists, RestError::module_already_exists, RestError::precondition_failed}) {
        EXPECT_EQ(describe(code).code, code);
        EXPECT_EQ(describe(code).status, static_cast<int>(code) / 1000);
    }
}

TEST(ErrorBody, HasTheShapeOfTheRealServiceWithoutInfo) {
    EXPECT_EQ(error_body(RestError::gateway_timeout, "no \"answer\"", tracking_id, moment),
              R"({"Message":"{\"errorCode\":504101,)"
              R"(\"trackingId\":\"0123456789abcdef0123456789abcdef-G:0-TimeStamp:01/05/2026 10:00:30\",)"
              R"(\"message\":\"no \\\"answer\\\"\",\"timestampUtc\":\"2026-01-05T10:00:30.1234567Z\"}",)"
              R"("ExceptionMessage":""})");
}

TEST(ErrorBody, IsJsonWhateverTheText) {
    const auto body = error_body(RestError::server_error, "a\xff\n\x01", tracking_id, moment);
    const auto outer = nlohmann::json::parse(body);
    EXPECT_TRUE(nlohmann::json::parse(outer["Message"].get<std::string>())["message"].is_string());
}

TEST(ErrorBody, PadsTimes) {
    const Clock::wall_time early = std::chrono::sys_days(std::chrono::year(2026) / 12 / 31) + 1h + 2min + 3s + 100ns;
    const auto body = error_body(RestError::server_error, "", tracking_id, early);
    EXPECT_NE(body.find("TimeStamp:12/31/2026 01:02:03"), std::string::npos) << body;
    EXPECT_NE(body.find("2026-12-31T01:02:03.0000001Z"), std::string::npos) << body;
}

TEST(RegistryErrorBody, HasTheOlderShape) {
    EXPECT_EQ(
        registry_error_body(RestError::device_already_exists, "it \"exists\"", tracking_id, moment),
        R"({"Message":"ErrorCode:DeviceAlreadyExists;it \"exists\"",)"
        R"("ExceptionMessage":"Tracking ID:0123456789abcdef0123456789abcdef-G:0-TimeStamp:01/05/2026 10:00:30"})");
    const auto parsed =
        parse_error(registry_error_body(RestError::precondition_failed, "why", tracking_id, moment), "");
    EXPECT_EQ(parsed.code, 412001);
    EXPECT_EQ(parsed.message, "why");
}

TEST(ParseError, ReadsBackWhatTheHubWrites) {
    const auto parsed =
        parse_error(error_body(RestError::device_not_online, "dev-01 is away", tracking_id, moment), "");
    EXPECT_EQ(parsed.code, 404103);
    EXPECT_EQ(parsed.message, "dev-01 is away");
}

TEST(ParseError, ReadsTheRealServiceWithInfo) {
    const auto parsed = parse_error(
        R"({"Message":"{\"errorCode\":504101,\"trackingId\":\"x\",\"message\":\"Timed out\",)"
        R"(\"info\":{\"timeout\":\"00:00:30\"},\"timestampUtc\":\"2026-01-05T10:00:30.1234567Z\"}","ExceptionMessage":""})",
        "GatewayTimeout");
    EXPECT_EQ(parsed.code, 504101);
    EXPECT_EQ(parsed.message, "Timed out");
}

TEST(ParseError, ReadsTheOlderShape) {
    const auto parsed = parse_error(R"({"Message":"ErrorCode:DeviceNotFound;Device dev-01 not registered"})", "");
    EXPECT_EQ(parsed.code, 404001);
    EXPECT_EQ(parsed.message, "Device dev-01 not registered");
}

TEST(ParseError, FallsBackOnTheHeader) {
    const auto parsed = parse_error(R"({"Message":"plain text"})", "ThrottlingException");
    EXPECT_EQ(parsed.code, 429001);
    EXPECT_EQ(parsed.message, "plain text");
    EXPECT_EQ(parse_error(R"({"Message":"ErrorCode:Strange"})", "DeviceNotOnline").code, 404103);
}

TEST(ParseError, TakesAnyBody) {
    for (const auto* body : {"", "<html>Bad Gateway</html>", "null", "[[[[", "{\"Message\":7}", "{\"Message\":\"{\"}",
                             "{\"Message\":\"{\\\"errorCode\\\":1e400}\"}", "\xff\xfe",
                             "{\"Message\":\"{\\\"errorCode\\\":18446744073709551615}\"}"})
        EXPECT_EQ(parse_error(body, "Unheard").code, 0) << body;
    EXPECT_EQ(parse_error("<html>Bad Gateway</html>", "").message, "<html>Bad Gateway</html>");
    EXPECT_EQ(parse_error(std::string(100'000, 'x'), "").message.size(), 512U);
    EXPECT_EQ(parse_error(std::string(100'000, '['), "").code, 0);
}

}  // namespace
}  // namespace device_streams::iothub
