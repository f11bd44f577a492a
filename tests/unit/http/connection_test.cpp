#include "common/http/connection.hpp"

#include "tests/unit/ws/fake_transport.hpp"

#include <gtest/gtest.h>

namespace device_streams::http {
namespace {

using test::FakeTransport;

class HttpConnection : public testing::Test {
 protected:
    test::Driver driver;
    FakeTransport* transport = new FakeTransport(driver.io);
    Connection connection{std::unique_ptr<Transport>(transport)};

    int refusal(const std::string& text) {
        transport->push(text);
        try {
            driver.run(connection.read_request());
        } catch (const MessageError& refused) {
            return refused.status;
        }
        return 0;
    }
    Response exchange(const std::string& method, const std::string& answer) {
        auto exchanging = driver.start(connection.exchange(request_of(method)));
        transport->push(answer);
        driver.poll();
        return exchanging.get();
    }
    static Request request_of(const std::string& method) {
        Request request;
        request.method = method;
        request.target = "/x";
        request.headers = {{"Host", "h"}};
        return request;
    }
};

const std::string post = "POST /x HTTP/1.1\r\nHost: h\r\n";

TEST_F(HttpConnection, ReadsARequestSplitAtEveryByte) {
    transport->push_bytewise(post + "Content-Length: 5\r\n\r\nhello");
    const auto request = driver.run(connection.read_request());
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.body, "hello");
}

TEST_F(HttpConnection, ReadsPipelinedRequestsInOrder) {
    transport->push(post + "Content-Length: 2\r\n\r\nabGET /second HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(driver.run(connection.read_request()).body, "ab");
    EXPECT_TRUE(driver.run(connection.wait_for_request()));
    EXPECT_EQ(driver.run(connection.read_request()).target, "/second");
}

TEST_F(HttpConnection, ReadsAChunkedBodySplitAtEveryByte) {
    transport->push_bytewise(
        post + "Transfer-Encoding: Chunked\r\n\r\n4;x=y\r\nabcd\r\n0A\r\n0123456789\r\n0\r\nT: v\r\n\r\n");
    EXPECT_EQ(driver.run(connection.read_request()).body, "abcd0123456789");
    transport->push("GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(driver.run(connection.read_request()).target, "/next");
}

TEST_F(HttpConnection, ARequestWithoutLengthHasNoBody) {
    transport->push(post + "\r\nGET");
    EXPECT_EQ(driver.run(connection.read_request()).body, "");
    EXPECT_TRUE(connection.reusable());
}

TEST_F(HttpConnection, ForgivesOneEmptyLineInFront) {
    transport->push("\r\n" + post + "\r\n");
    EXPECT_EQ(driver.run(connection.read_request()).method, "POST");
    EXPECT_EQ(refusal("\r\n\r\n" + post + "\r\n"), 400);
}

TEST_F(HttpConnection, RefusesGarbageBeforeALineIsComplete) {
    EXPECT_EQ(refusal(std::string("\x16\x03\x01\x02\x00", 5)), 400);
    EXPECT_FALSE(connection.reusable());
}

TEST_F(HttpConnection, RefusesAHeadThatGrowsPastTheLimit) {
    EXPECT_EQ(refusal("GET /" + std::string(head_limit, 'a')), 431);
}

TEST_F(HttpConnection, RefusesABodyPastTheLimitBeforeItArrives) {
    EXPECT_EQ(refusal(post + "Content-Length: 1048577\r\n\r\n"), 413);
}

TEST_F(HttpConnection, AcceptsABodyOfExactlyTheLimit) {
    transport->push(post + "Content-Length: 1048576\r\n\r\n" + std::string(body_limit, 'b'));
    EXPECT_EQ(driver.run(connection.read_request()).body.size(), body_limit);
}

TEST_F(HttpConnection, RefusesChunksPastTheLimit) {
    EXPECT_EQ(
        refusal(post + "Transfer-Encoding: chunked\r\n\r\n100000\r\n" + std::string(body_limit, 'b') + "\r\n1\r\n"),
        413);
    EXPECT_EQ(refusal(post + "Transfer-Encoding: chunked\r\n\r\n100001\r\n"), 413);
}

TEST_F(HttpConnection, RefusesBodiesPastALowerLimitOfTheServer) {
    for (const char* body :
         {"Content-Length: 6\r\n\r\nabcdef", "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n",
          "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"}) {
        auto* other = new FakeTransport(driver.io);
        Connection server{std::unique_ptr<Transport>(other)};
        other->push(post + body);
        EXPECT_THROW(driver.run(server.read_request(5)), MessageError) << body;
    }
    transport->push(post + "Content-Length: 5\r\n\r\nabcde");
    EXPECT_EQ(driver.run(connection.read_request(5)).body, "abcde");
}

TEST_F(HttpConnection, RefusesOverflowingChunkSizes) {
    EXPECT_EQ(refusal(post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"), 413);
}

class MalformedChunks : public HttpConnection, public testing::WithParamInterface<std::string> {};

TEST_P(MalformedChunks, AreRefused) {
    EXPECT_EQ(refusal(post + "Transfer-Encoding: chunked\r\n\r\n" + GetParam()), 400);
}

INSTANTIATE_TEST_SUITE_P(Bodies, MalformedChunks,
                         testing::Values("\r\n", "x\r\n", "-1\r\n", "0x5\r\n", "5 5\r\nabcde\r\n", "3\r\nabcd\r\n",
                                         "3\nabc\r\n", "3\r\r\nabc\r\n", "3\r\nabc\n", "\n",
                                         "3;" + std::string(300, 'e'), "0\r\n" + std::string(300, 't')));

TEST_F(HttpConnection, RefusesEndlessTrailers) {
    std::string trailers;
    while (trailers.size() < 2 * head_limit) trailers += "T: " + std::string(200, 'v') + "\r\n";
    EXPECT_EQ(refusal(post + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + trailers), 431);
}

TEST_F(HttpConnection, InvitesABodyThatIsExpected) {
    auto reading = driver.start(connection.read_request());
    transport->push(post + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    driver.poll();
    EXPECT_EQ(transport->sent, "HTTP/1.1 100 Continue\r\n\r\n");
    transport->push("abc");
    driver.poll();
    EXPECT_EQ(reading.get().body, "abc");
}

TEST_F(HttpConnection, RefusesOtherExpectationsAndTooLargeBodiesUninvited) {
    EXPECT_EQ(refusal(post + "Expect: 200-ok\r\n\r\n"), 417);
    EXPECT_EQ(refusal(post + "Expect: 100-continue\r\nContent-Length: 9999999\r\n\r\n"), 413);
    EXPECT_EQ(transport->sent, "");
}

TEST_F(HttpConnection, AnEndInsideAMessageIsALostLeg) {
    transport->push(post);
    transport->end();
    EXPECT_THROW(driver.run(connection.read_request()), StreamError);
}

TEST_F(HttpConnection, WaitForRequestTellsAnEndFromARequest) {
    auto waiting = driver.start(connection.wait_for_request());
    EXPECT_FALSE(waiting.done());
    transport->end();
    driver.poll();
    EXPECT_FALSE(waiting.get());
    EXPECT_FALSE(connection.reusable());
}

TEST_F(HttpConnection, KeepsTheConnectionAfterAnAnswer) {
    transport->push(post + "\r\n");
    driver.run(connection.read_request());
    driver.run(connection.write_response({.status = 200, .reason = {}, .headers = {}, .body = "ok"}));
    EXPECT_EQ(transport->sent, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_TRUE(connection.reusable());
}

TEST_F(HttpConnection, ClosesWhenTheRequestAskedForIt) {
    transport->push(post + "Connection: close\r\n\r\n");
    driver.run(connection.read_request());
    driver.run(connection.write_response({}));
    EXPECT_EQ(transport->sent, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    EXPECT_FALSE(connection.reusable());
}

TEST_F(HttpConnection, ClosesAfterARefusedRequest) {
    EXPECT_EQ(refusal("nonsense\r\n\r\n"), 400);
    driver.run(connection.write_response({.status = 400, .reason = {}, .headers = {}, .body = {}}));
    EXPECT_NE(transport->sent.find("Connection: close"), std::string::npos);
}

TEST_F(HttpConnection, AnswersHeadWithoutTheBody) {
    transport->push("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    driver.run(connection.read_request());
    driver.run(connection.write_response({.status = 200, .reason = {}, .headers = {}, .body = "12345"}));
    EXPECT_EQ(transport->sent, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
}

TEST_F(HttpConnection, ExchangeSendsAndReadsTheAnswer) {
    const auto answer = exchange("POST", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes");
    EXPECT_EQ(transport->sent, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(answer.body, "yes");
    EXPECT_TRUE(connection.reusable());
}

TEST_F(HttpConnection, ExchangeReadsChunkedAnswers) {
    EXPECT_EQ(exchange("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n").body,
              "yes");
    EXPECT_TRUE(connection.reusable());
}

TEST_F(HttpConnection, ExchangeReadsAnUndelimitedAnswerToTheEnd) {
    transport->push("HTTP/1.1 200 OK\r\n\r\nall of ");
    transport->push("it");
    transport->end();
    EXPECT_EQ(driver.run(connection.exchange(request_of("GET"))).body, "all of it");
    EXPECT_FALSE(connection.reusable());
}

TEST_F(HttpConnection, ExchangeLimitsAnUndelimitedAnswer) {
    transport->push("HTTP/1.1 200 OK\r\n\r\n" + std::string(body_limit + 1, 'x'));
    transport->end();
    EXPECT_THROW(driver.run(connection.exchange(request_of("GET"))), MessageError);
}

TEST_F(HttpConnection, ExchangeSkipsInterimAnswers) {
    EXPECT_EQ(exchange("POST", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
                  .status,
              204);
}

TEST_F(HttpConnection, ExchangeGivesUpOnEndlessInterimAnswers) {
    std::string answers;
    for (int i = 0; i < 100; ++i) answers += "HTTP/1.1 100 Continue\r\n\r\n";
    EXPECT_THROW(exchange("POST", answers), MessageError);
}

TEST_F(HttpConnection, AnswersThatCannotHaveABodyHaveNone) {
    EXPECT_EQ(exchange("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n").body, "");
    EXPECT_EQ(exchange("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n").status, 304);
    EXPECT_EQ(exchange("GET", "HTTP/1.1 204 No Content\r\n\r\n").status, 204);
    EXPECT_TRUE(connection.reusable());
}

TEST_F(HttpConnection, AnUpgradeKeepsWhatCameBehindIt) {
    const auto answer = exchange("GET", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x82\x01x");
    EXPECT_EQ(answer.status, 101);
    std::vector<std::byte> early;
    const auto released = connection.release(early);
    EXPECT_EQ(released.get(), transport);
    EXPECT_EQ(test::text_of(early), "\x82\x01x");
}

TEST_F(HttpConnection, AWarmConnectionThatEndedIsNoticedBeforeSending) {
    exchange("POST", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    const auto sent = transport->sent;
    transport->end();
    EXPECT_THROW(driver.run(connection.exchange(request_of("POST"))), StreamError);
    EXPECT_EQ(transport->sent, sent);
    EXPECT_FALSE(connection.reusable());
}

TEST_F(HttpConnection, AnAnswerThatNobodyAskedForIsNotTaken) {
    exchange("POST", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 Forged\r\n\r\n");
    EXPECT_THROW(driver.run(connection.exchange(request_of("POST"))), StreamError);
}

TEST_F(HttpConnection, UntilPeerLeavesReturnsAtTheEndAndKeepsEarlyBytes) {
    auto waiting = driver.start(connection.until_peer_leaves());
    transport->push("early");
    driver.poll();
    EXPECT_FALSE(waiting.done());
    transport->end();
    driver.poll();
    EXPECT_NO_THROW(waiting.get());
    std::vector<std::byte> early;
    connection.release(early);
    EXPECT_EQ(test::text_of(early), "early");
}

TEST_F(HttpConnection, UntilPeerLeavesReturnsWhenTheConnectionBreaks) {
    auto waiting = driver.start(connection.until_peer_leaves());
    transport->fail(CloseReason::reset);
    driver.poll();
    EXPECT_NO_THROW(waiting.get());
}

TEST_F(HttpConnection, UntilPeerLeavesHoldsABoundedAmount) {
    transport->push(std::string(100'000, 'x'));
    driver.run(connection.until_peer_leaves());
    EXPECT_GT(transport->unread(), 70'000U);
}

TEST_F(HttpConnection, UntilPeerLeavesCanBeCancelled) {
    auto waiting = driver.start(connection.until_peer_leaves());
    waiting.cancel();
    driver.poll();
    EXPECT_THROW(waiting.get(), std::system_error);
}

}  // namespace
}  // namespace device_streams::http
