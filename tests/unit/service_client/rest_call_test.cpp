#include "common/service_client/rest_call.hpp"

#include "common/iothub/errors.hpp"
#include "common/tunnel/leg_upgrade.hpp"

#include <gtest/gtest.h>

namespace device_streams::service {
namespace {

http::Response accepted() {
    http::Response answer;
    answer.headers = {
        {"iothub-streaming-is-accepted", "True"},
        {"iothub-streaming-url", "wss://streams.iot.example:443/bridges/ih/hub1/d/dev-01/sid/0f/r/service"},
        {"iothub-streaming-auth-token", "aaa.bbb.ccc"}};
    return answer;
}

http::Response with_accepted(const std::string& value) {
    const auto good = accepted();
    http::Response answer;
    for (const auto& [name, old] : good.headers.fields())
        answer.headers.add(name, name == "iothub-streaming-is-accepted" ? value : old);
    return answer;
}

http::Response without(const std::string& header) {
    const auto good = accepted();
    http::Response answer;
    for (const auto& [name, value] : good.headers.fields())
        if (name != header) answer.headers.add(name, value);
    return answer;
}

http::Response error(int status, const std::string& body) {
    http::Response answer;
    answer.status = status;
    answer.body = body;
    return answer;
}

http::Response hub_error(iothub::RestError code, const std::string& text) {
    const auto body = iothub::error_body(code, text, "0123456789abcdef0123456789abcdef", Clock::wall_time{});
    return error(iothub::describe(code).status, body);
}

Granted granted(const http::Response& answer) {
    return std::get<Granted>(interpret_answer(answer, "dev-01"));
}

Failure refused(const http::Response& answer) {
    return std::get<Failure>(interpret_answer(answer, "dev-01"));
}

TEST(MakeStreamCall, NamesDeviceModuleAndStreamInThePath) {
    const iothub::ServicePath what{.target = {"a b", "tunnel"}, .name = "ssh.1a2b3c4d"};
    const auto call = make_stream_call(what, "hub1.iot.example", Secret("token"), {}, false);
    EXPECT_EQ(call.method, "POST");
    EXPECT_EQ(call.target, "/twins/a%20b/modules/tunnel/streams/ssh.1a2b3c4d?api-version=2020-09-30");
    EXPECT_EQ(call.headers.find("Host"), "hub1.iot.example");
    EXPECT_EQ(call.headers.find("Authorization"), "token");
    EXPECT_TRUE(call.body.empty());
}

TEST(MakeStreamCall, SendsBothTimeLimitsInWholeSeconds) {
    OpenLimits limits;
    limits.connect = std::chrono::milliseconds(1'001);
    limits.response = std::chrono::seconds(30);
    const iothub::ServicePath what{.target = {"dev-01", ""}, .name = "ssh.1a2b3c4d"};
    const auto call = make_stream_call(what, "hub1.iot.example", Secret("token"), limits, false);
    EXPECT_EQ(call.headers.find("iothub-streaming-connect-timeout-in-seconds"), "2");
    EXPECT_EQ(call.headers.find("iothub-streaming-response-timeout-in-seconds"), "30");
}

TEST(MakeStreamCall, AnnouncesOurFeatures) {
    const iothub::ServicePath what{.target = {"dev-01", ""}, .name = "ssh.1a2b3c4d"};
    const auto call = make_stream_call(what, "hub1.iot.example", Secret("token"), {}, false);
    EXPECT_EQ(parse_features(call.headers.find(features_header).value_or("")), own_features);
}

TEST(MakeStreamCall, OffersItsConnectionForTheLegOnlyWhenTold) {
    const iothub::ServicePath what{.target = {"dev-01", ""}, .name = "ssh.1a2b3c4d"};
    EXPECT_FALSE(make_stream_call(what, "hub1.iot.example", Secret("token"), {}, false).headers.find("Upgrade"));
    EXPECT_TRUE(has_leg_upgrade(make_stream_call(what, "hub1.iot.example", Secret("token"), {}, true).headers));
}

TEST(InterpretAnswer, AConnectionThatBecameTheLegNeedsNoUrl) {
    http::Response answer;
    answer.status = 101;
    add_leg_upgrade(answer.headers);
    answer.headers.add(std::string(features_header), "half-close,pings");
    const auto stream = granted(answer);
    EXPECT_TRUE(stream.leg_is_here);
    EXPECT_TRUE(stream.hub_is_ours);
    EXPECT_EQ(stream.features, (Features{.half_close = true, .big_frames = false, .pings = true}));
}

TEST(InterpretAnswer, GrantsUrlAndToken) {
    const auto stream = granted(accepted());
    EXPECT_EQ(stream.url.host, "streams.iot.example");
    EXPECT_EQ(stream.url.port, 443);
    EXPECT_EQ(stream.url.target, "/bridges/ih/hub1/d/dev-01/sid/0f/r/service");
    EXPECT_EQ(stream.token.reveal(), "aaa.bbb.ccc");
}

TEST(InterpretAnswer, TakesStatus202AndTrueInAnyCase) {
    auto answer = with_accepted("tRUE");
    answer.status = 202;
    EXPECT_EQ(granted(answer).token.reveal(), "aaa.bbb.ccc");
}

TEST(InterpretAnswer, AssumesNothingOfAHubThatSaysNothingOfFeatures) {
    const auto stream = granted(accepted());
    EXPECT_FALSE(stream.hub_is_ours);
    EXPECT_EQ(stream.features, Features{});
}

TEST(InterpretAnswer, KnowsOurHubByItsFeatures) {
    auto answer = accepted();
    answer.headers.add(std::string(features_header), "half-close,teleport");
    const auto stream = granted(answer);
    EXPECT_TRUE(stream.hub_is_ours);
    EXPECT_TRUE(stream.features.half_close);
    EXPECT_FALSE(stream.features.big_frames);
}

TEST(InterpretAnswer, KnowsOurHubThatHasNoFeatureInCommon) {
    auto answer = accepted();
    answer.headers.add(std::string(features_header), "none");
    EXPECT_TRUE(granted(answer).hub_is_ours);
    EXPECT_EQ(granted(answer).features, Features{});
}

TEST(InterpretAnswer, FalseIsARejectionByTheDevice) {
    EXPECT_EQ(refused(with_accepted("False")).errc(), Errc::stream_rejected);
    EXPECT_EQ(refused(with_accepted("False")).detail(), "dev-01");
}

TEST(InterpretAnswer, FalseMayHaveTheDevicesReason) {
    auto answer = with_accepted("False");
    answer.headers.add("iothub-streaming-reason", "DS-402");
    EXPECT_EQ(refused(answer).errc(), Errc::stream_rejected);
    EXPECT_EQ(
        refused(answer).detail(),
        "dev-01, DS-402 the local service refused the connection (on the device: Start the service, or correct its "
        "address under services:)");
    for (const auto* strange : {"DS-305", "DS-402 at 10.0.0.1:22", "", "\x1b[2J"}) {
        auto other = with_accepted("False");
        other.headers.add("iothub-streaming-reason", strange);
        EXPECT_EQ(refused(other).detail(), "dev-01") << strange;
    }
}

TEST(InterpretAnswer, AnswerWithoutVerdictUrlOrTokenIsNotAHubs) {
    for (const auto* missing : {"iothub-streaming-is-accepted", "iothub-streaming-url", "iothub-streaming-auth-token"})
        EXPECT_EQ(refused(without(missing)).errc(), Errc::hub_protocol) << missing;
    EXPECT_EQ(refused(with_accepted("perhaps")).errc(), Errc::hub_protocol);
}

TEST(InterpretAnswer, OtherStatusWithTrueIsNoSuccess) {
    for (const int status : {201, 204, 301, 101}) {
        auto answer = accepted();
        answer.status = status;
        EXPECT_EQ(refused(answer).errc(), Errc::hub_protocol) << status;
    }
}

TEST(InterpretAnswer, SixDigitCodesDecideBeforeTheStatus) {
    EXPECT_EQ(refused(hub_error(iothub::RestError::device_not_online, "x")).errc(), Errc::device_offline);
    EXPECT_EQ(refused(hub_error(iothub::RestError::device_not_found, "x")).errc(), Errc::device_unknown);
    EXPECT_EQ(refused(hub_error(iothub::RestError::module_not_found, "x")).errc(), Errc::device_unknown);
    EXPECT_EQ(refused(hub_error(iothub::RestError::gateway_timeout, "x")).errc(), Errc::device_silent);
    EXPECT_EQ(refused(hub_error(iothub::RestError::quota_exceeded, "x")).errc(), Errc::quota_exceeded);
    EXPECT_EQ(refused(hub_error(iothub::RestError::unauthorized, "x")).errc(), Errc::service_unauthorized);
    EXPECT_EQ(refused(hub_error(iothub::RestError::throttled, "x")).errc(), Errc::throttled);
    EXPECT_EQ(refused(hub_error(iothub::RestError::server_error, "x")).errc(), Errc::hub_failed);
    EXPECT_EQ(refused(hub_error(iothub::RestError::argument_invalid, "x")).errc(), Errc::request_refused);
}

TEST(InterpretAnswer, BareStatusIsEnough) {
    EXPECT_EQ(refused(error(401, "")).errc(), Errc::service_unauthorized);
    EXPECT_EQ(refused(error(404, "<html>")).errc(), Errc::request_refused);
    EXPECT_EQ(refused(error(429, "")).errc(), Errc::throttled);
    EXPECT_EQ(refused(error(502, "")).errc(), Errc::hub_failed);
    EXPECT_EQ(refused(error(504, "gateway")).errc(), Errc::hub_failed);
}

TEST(InterpretAnswer, TellsWhenToTryAgain) {
    auto answer = hub_error(iothub::RestError::quota_exceeded, "no more today");
    answer.headers.add("Retry-After", "3600");
    EXPECT_EQ(retry_after(answer), std::chrono::hours(1));
    EXPECT_NE(refused(answer).detail().find("no more today; Retry-After: 3600 s"), std::string::npos);
}

TEST(InterpretAnswer, RetryAfterIsSecondsOrNothing) {
    for (const char* text : {"", "soon", "-1", "1.5", "5 s", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999"}) {
        auto answer = error(429, "");
        answer.headers.add("Retry-After", text);
        EXPECT_EQ(retry_after(answer), std::nullopt) << text;
    }
    EXPECT_EQ(retry_after(error(429, "")), std::nullopt);
}

TEST(InterpretAnswer, TellsStatusCodeAndText) {
    const auto detail = refused(hub_error(iothub::RestError::device_not_online, "no such luck")).detail();
    EXPECT_NE(detail.find("dev-01"), std::string::npos) << detail;
    EXPECT_NE(detail.find("status 404"), std::string::npos) << detail;
    EXPECT_NE(detail.find("404103"), std::string::npos) << detail;
    EXPECT_NE(detail.find("no such luck"), std::string::npos) << detail;
}

TEST(DescribeAnswer, QuotesNoCredentialThatTheHubEchoes) {
    const auto text = describe_answer(error(401, "bad SharedAccessSignature sr=x&sig=geheim&se=1"));
    EXPECT_NE(text.find("bad"), std::string::npos) << text;
    EXPECT_EQ(text.find("geheim"), std::string::npos) << text;
}

TEST(DescribeAnswer, KeepsToOneBoundedLine) {
    const auto text = describe_answer(error(500, "two\r\nlines" + std::string(5'000, 'x')));
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_LT(text.size(), 400U);
}

}  // namespace
}  // namespace device_streams::service
