#include "common/base/error.hpp"
#include "common/http/connection.hpp"

#include <gtest/gtest.h>

namespace device_streams::http {
namespace {

std::string with_lines(const std::string& lines) {
    return "GET /x HTTP/1.1\r\nHost: hub1.iot.example\r\n" + lines + "\r\n";
}

int refusal_of_request(const std::string& head) {
    try {
        parse_request_head(head);
    } catch (const MessageError& refused) {
        return refused.status;
    }
    return 0;
}

int refusal_of_response(const std::string& head) {
    try {
        parse_response_head(head);
    } catch (const MessageError& refused) {
        return refused.status;
    }
    return 0;
}

TEST(RequestHead, IsTakenApart) {
    const auto request = parse_request_head(
        "POST /twins/dev-01/streams/ssh-1?api-version=2020-09-30 HTTP/1.1\r\nHost: hub1.iot.example\r\n"
        "Authorization: SharedAccessSignature sr=a&sig=b%3D\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/twins/dev-01/streams/ssh-1?api-version=2020-09-30");
    EXPECT_EQ(request.headers.find("authorization"), "SharedAccessSignature sr=a&sig=b%3D");
    EXPECT_TRUE(request.keep_alive);
    EXPECT_EQ(request.minor_version, 1);
}

TEST(RequestHead, KnowsAClientOfAmqp) {
    using namespace std::string_literals;
    EXPECT_THROW(parse_request_head("AMQP\0\1\0\0"s), AmqpInstead);
    EXPECT_THROW(parse_request_head("AMQP\3\1\0\0"s), AmqpInstead);
    EXPECT_EQ(refusal_of_request("AMQP\1"), 400);
}

TEST(RequestHead, RepeatedFieldsAreJoined) {
    EXPECT_EQ(parse_request_head(with_lines("A: 1\r\na: 2\r\n")).headers.find("A"), "1, 2");
}

TEST(RequestHead, KeepAliveFollowsVersionAndConnection) {
    EXPECT_FALSE(parse_request_head(with_lines("Connection: foo, Close\r\n")).keep_alive);
    EXPECT_FALSE(parse_request_head("GET / HTTP/1.0\r\nHost: h\r\n\r\n").keep_alive);
    EXPECT_EQ(parse_request_head("GET / HTTP/1.0\r\nHost: h\r\n\r\n").headers.find("Host"), "h");
    EXPECT_TRUE(parse_request_head("GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n").keep_alive);
    EXPECT_EQ(parse_request_head("GET / HTTP/1.0\r\nHost: h\r\n\r\n").minor_version, 0);
}

TEST(RequestHead, AcceptsValuesThatAreEmptyOrNotAscii) {
    const auto request = parse_request_head(with_lines("A:\r\nB: caf\xc3\xa9\r\n"));
    EXPECT_EQ(request.headers.find("A"), "");
    EXPECT_EQ(request.headers.find("B"), "caf\xc3\xa9");
}

struct BadHead {
    const char* name;
    std::string head;
    int status;
};

class RefusedRequest : public testing::TestWithParam<BadHead> {};

TEST_P(RefusedRequest, HasItsStatus) {
    EXPECT_EQ(refusal_of_request(GetParam().head), GetParam().status);
}

INSTANTIATE_TEST_SUITE_P(
    Heads, RefusedRequest,
    testing::Values(
        BadHead{"Empty", "", 400}, BadHead{"OnlyEmptyLine", "\r\n", 400},
        BadHead{"Unfinished", "GET / HTTP/1.1\r\nHost: h\r\n", 400},
        BadHead{"MoreBehind", "GET / HTTP/1.1\r\nHost: h\r\n\r\nx", 400},
        BadHead{"NoHost", "GET / HTTP/1.1\r\nA: b\r\n\r\n", 400},
        BadHead{"TwoHosts", with_lines("host: evil\r\n"), 400}, BadHead{"BareLf", "GET / HTTP/1.1\nHost: h\n\n", 400},
        BadHead{"LfInside", with_lines("A: b\nC: d\r\n"), 400}, BadHead{"BareCr", with_lines("A: b\rC: d\r\n"), 400},
        BadHead{"Nul", with_lines(std::string("A: b\0c\r\n", 8)), 400},
        BadHead{"Delete", with_lines("A: b\x7f\r\n"), 400}, BadHead{"Folded", with_lines("A: b\r\n c\r\n"), 400},
        BadHead{"FoldedByTab", with_lines("A: b\r\n\tc: d\r\n"), 400},
        BadHead{"BlankBeforeColon", with_lines("Content-Length : 5\r\n"), 400},
        BadHead{"NoColon", with_lines("Nothing\r\n"), 400}, BadHead{"NoName", with_lines(": x\r\n"), 400},
        BadHead{"NameNotAscii", with_lines("\xc3\xa9: x\r\n"), 400},
        BadHead{"RepeatedLength", with_lines("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
        BadHead{"ListOfLengths", with_lines("Content-Length: 5, 5\r\n"), 400},
        BadHead{"LengthNotNumber", with_lines("Content-Length: 5x\r\n"), 400},
        BadHead{"LengthNegative", with_lines("Content-Length: -5\r\n"), 400},
        BadHead{"LengthWithPlus", with_lines("Content-Length: +5\r\n"), 400},
        BadHead{"LengthEmpty", with_lines("Content-Length:\r\n"), 400},
        BadHead{"LengthOverflows", with_lines("Content-Length: 99999999999999999999\r\n"), 413},
        BadHead{"LengthAndCoding", with_lines("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
        BadHead{"RepeatedCoding", with_lines("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
        BadHead{"OtherCoding", with_lines("Transfer-Encoding: gzip, chunked\r\n"), 501},
        BadHead{"ChunkedIn10", "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        BadHead{"NoVersion", "GET /\r\nHost: h\r\n\r\n", 400},
        BadHead{"Version2", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
        BadHead{"VersionGarbage", "GET / HTTQ/1.1\r\nHost: h\r\n\r\n", 400},
        BadHead{"FourParts", "GET / x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        BadHead{"TwoBlanks", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        BadHead{"NoMethod", " / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        BadHead{"MethodNoToken", "G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        BadHead{"TargetNotAscii", "GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        BadHead{"TabInRequestLine", "GET /\ta HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        BadHead{"TooLong", with_lines("A: " + std::string(16'000, 'a') + "\r\n"), 431}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(RequestHead, OfManyLinesIsAcceptedNearTheLimit) {
    std::string lines;
    while (lines.size() < 14'000) lines += "A" + std::to_string(lines.size()) + ": " + std::string(100, 'v') + "\r\n";
    EXPECT_EQ(refusal_of_request(with_lines(lines)), 0);
}

TEST(ResponseHead, IsTakenApart) {
    const auto response = parse_response_head(
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\niothub-streaming-is-accepted: True\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.reason, "OK");
    EXPECT_EQ(response.headers.find("iothub-streaming-is-accepted"), "True");
    EXPECT_FALSE(response.keep_alive);
}

TEST(ResponseHead, MayHaveACodeThatNobodyKnows) {
    EXPECT_EQ(parse_response_head("HTTP/1.1 599 Odd\r\n\r\n").status, 599);
    EXPECT_EQ(parse_response_head("HTTP/1.1 299 Odd\r\n\r\n").reason, "Odd");
}

TEST(ResponseHead, MayLackTheReason) {
    EXPECT_EQ(parse_response_head("HTTP/1.1 200\r\nA: b\r\n\r\n").status, 200);
    EXPECT_EQ(parse_response_head("HTTP/1.1 404 \r\n\r\n").reason, "");
}

class RefusedResponse : public testing::TestWithParam<BadHead> {};

TEST_P(RefusedResponse, HasItsStatus) {
    EXPECT_EQ(refusal_of_response(GetParam().head), GetParam().status);
}

INSTANTIATE_TEST_SUITE_P(
    Heads, RefusedResponse,
    testing::Values(BadHead{"Empty", "", 400}, BadHead{"NoStatus", "HTTP/1.1\r\n\r\n", 400},
                    BadHead{"WordForStatus", "HTTP/1.1 OK 200\r\n\r\n", 400},
                    BadHead{"FourDigits", "HTTP/1.1 2000 OK\r\n\r\n", 400},
                    BadHead{"TwoDigits", "HTTP/1.1 20 OK\r\n\r\n", 400},
                    BadHead{"Zero", "HTTP/1.1 000 OK\r\n\r\n", 400}, BadHead{"Over599", "HTTP/1.1 600 OK\r\n\r\n", 400},
                    BadHead{"Version2", "HTTP/2.0 200 OK\r\n\r\n", 505},
                    BadHead{"Folded", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", 400},
                    BadHead{"LengthAndCoding",
                            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(Serialize, RequestGetsLengthAndBody) {
    Request request;
    request.method = "POST";
    request.target = "/x";
    request.headers = {{"Host", "h"}};
    EXPECT_EQ(serialize(request), "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    request.body = "abc";
    EXPECT_EQ(serialize(request), "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
}

TEST(Serialize, GetHasNoLength) {
    Request request;
    request.method = "GET";
    request.target = "/";
    request.headers = {{"Host", "h"}};
    EXPECT_EQ(serialize(request), "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
}

TEST(Serialize, ResponseGetsReasonAndLength) {
    Response response;
    response.status = 404;
    response.body = "no";
    EXPECT_EQ(serialize(response), "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
    response.reason = "Gone Fishing";
    response.keep_alive = false;
    EXPECT_EQ(serialize(response), "HTTP/1.1 404 Gone Fishing\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
}

TEST(ReasonPhrase, IsTheOneOfTheStandard) {
    EXPECT_EQ(reason_phrase(101), "Switching Protocols");
    EXPECT_EQ(reason_phrase(410), "Gone");
    EXPECT_EQ(reason_phrase(504), "Gateway Timeout");
    EXPECT_EQ(reason_phrase(599), "Unknown");
}

TEST(Serialize, InterimAndEmptyAnswersHaveNoLength) {
    Response response;
    response.status = 101;
    response.headers = {{"Upgrade", "websocket"}};
    EXPECT_EQ(serialize(response), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
    response = Response();
    response.status = 204;
    EXPECT_EQ(serialize(response), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(Serialize, LineBreaksNeverReachTheWire) {
    Response response;
    response.headers = {{"A", "b\r\nInjected: yes"}};
    EXPECT_THROW(serialize(response), Failure);
    Request request;
    request.method = "GET";
    request.target = "/x\n";
    EXPECT_THROW(serialize(request), Failure);
}

// As probes ask.
TEST(ParseRequestHead, OldHttpNeedsNoHost) {
    for (const std::string fields : {"", "User-Agent: probe\r\n"}) {
        const auto request = parse_request_head("GET /healthz HTTP/1.0\r\n" + fields + "\r\n");
        EXPECT_EQ(request.path(), "/healthz");
        EXPECT_FALSE(request.headers.find("Host"));
        EXPECT_EQ(request.headers.fields().size(), fields.empty() ? 0U : 1U);
    }
    EXPECT_THROW(parse_request_head("GET / HTTP/1.1\r\n\r\n"), MessageError);
}

}  // namespace
}  // namespace device_streams::http
