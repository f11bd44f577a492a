#include "common/hub_access/connect_request.hpp"

#include "common/base/error.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

struct ConnectRequestTest : testing::Test {
    // The code and the detail of what the answer leads to; "open" or "more" when it leads to none.
    std::string outcome(std::string_view answer, const std::string& url = "http://proxy:3128") {
        const auto proxy = parse_proxy_url(url);
        ConnectRequest request(proxy, hub);
        try {
            return request.take(answer) ? "open" : "more";
        } catch (const Failure& failure) {
            return std::string(describe(failure.errc()).id) + " " + failure.detail();
        }
    }
    Endpoint hub{.host = "hub.example.com", .port = 443, .path = {}};
};

TEST_F(ConnectRequestTest, AsksForTheHubByName) {
    const auto proxy = parse_proxy_url("http://proxy:3128");
    const auto text = ConnectRequest(proxy, hub).next_words();
    EXPECT_TRUE(text.starts_with("CONNECT hub.example.com:443 HTTP/1.1\r\nHost: hub.example.com:443\r\n")) << text;
    EXPECT_TRUE(text.ends_with("\r\n\r\n"));
    EXPECT_EQ(text.find("Proxy-Authorization"), std::string::npos);
    EXPECT_EQ(text.find("Content-Length"), std::string::npos);
}

TEST_F(ConnectRequestTest, IPv6AddressesKeepTheirBrackets) {
    const auto proxy = parse_proxy_url("http://proxy:3128");
    const Endpoint address{.host = "2001:db8::1", .port = 8883, .path = {}};
    EXPECT_TRUE(ConnectRequest(proxy, address).next_words().starts_with("CONNECT [2001:db8::1]:8883 HTTP/1.1\r\n"));
}

TEST_F(ConnectRequestTest, ShowsCredentialsAsBasicAuthentication) {
    const auto proxy = parse_proxy_url("http://Aladdin:open%20sesame@proxy:3128");  // the example of RFC 7617
    const auto text = ConnectRequest(proxy, hub).next_words();
    EXPECT_NE(text.find("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"), std::string::npos);
}

TEST_F(ConnectRequestTest, TakesTheAnswersOfUsualProxies) {
    EXPECT_EQ(outcome("HTTP/1.1 200 Connection established\r\n\r\n"), "open");
    EXPECT_EQ(outcome("HTTP/1.0 200 Connection established\r\nProxy-agent: tinyproxy/1.11.1\r\n\r\n"), "open");
    EXPECT_EQ(outcome("HTTP/1.1 200 \r\nVia: 1.1 x\r\n\r\n"), "open");
    EXPECT_EQ(outcome("HTTP/1.1 200\r\n\r\n"), "open");
    EXPECT_EQ(outcome("HTTP/1.1 204 OK\r\n\r\n"), "open");
}

TEST_F(ConnectRequestTest, IgnoresWhatAnAnswerSaysAboutABody) {  // RFC 9110 section 9.3.6
    EXPECT_EQ(outcome("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), "open");
    EXPECT_EQ(outcome("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), "open");
}

TEST_F(ConnectRequestTest, PassesOverInterimAnswers) {
    EXPECT_EQ(outcome("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), "open");
}

TEST_F(ConnectRequestTest, TakesTheAnswerInAnyPieces) {
    const auto proxy = parse_proxy_url("http://proxy:3128");
    ConnectRequest request(proxy, hub);
    const std::string_view answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nVia: x\r\n\r\n";
    for (std::size_t i = 0; i + 1 < answer.size(); ++i) ASSERT_FALSE(request.take(answer.substr(i, 1))) << i;
    EXPECT_TRUE(request.take(answer.substr(answer.size() - 1)));
}

TEST_F(ConnectRequestTest, SaysWhatIsWrongWithTheCredentials) {
    const std::string basic =
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n";
    EXPECT_EQ(outcome(basic),
              "DS-214 http://proxy:3128 was asked for hub.example.com:443 and answered 407 Proxy Authentication "
              "Required: it wants user and password");
    EXPECT_TRUE(outcome(basic, "http://anna:secret@proxy:3128").ends_with("it does not accept user and password"));
    EXPECT_TRUE(outcome("HTTP/1.0 401 Unauthorized\r\n\r\n", "http://anna:secret@proxy:3128")
                    .ends_with("it does not accept user and password"));
    EXPECT_TRUE(outcome("HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n")
                    .ends_with("it takes other authentication than Basic, which is all that we have"));
}

TEST_F(ConnectRequestTest, TellsRefusalsFromHubsThatAreNotFound) {
    EXPECT_TRUE(outcome("HTTP/1.1 403 Forbidden\r\n\r\nbody").starts_with("DS-215 "));
    EXPECT_TRUE(outcome("HTTP/1.1 405 Method Not Allowed\r\n\r\n").starts_with("DS-215 "));
    EXPECT_TRUE(outcome("HTTP/1.1 502 Bad Gateway\r\n\r\n<html>").starts_with("DS-216 "));
    EXPECT_TRUE(outcome("HTTP/1.1 503 Service Unavailable\r\n\r\n").starts_with("DS-216 "));
}

TEST_F(ConnectRequestTest, RefusesWhatIsNoAnswer) {
    for (const std::string text :
         {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "\x15\x03\x03\n", "HTTP/1.1 200 OK\n\n", "\r\n\r\n", "HTTP/2 200\r\n\r\n",
          "HTTP/1.1 302 Found\r\nLocation: http://login/\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n",
          "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"})
        EXPECT_TRUE(outcome(text).starts_with("DS-217 ")) << text << outcome(text);
}

// TLS begins with our words: whoever speaks before is not the hub.
TEST_F(ConnectRequestTest, RefusesBytesBehindTheAnswer) {
    EXPECT_TRUE(outcome("HTTP/1.1 200 OK\r\n\r\nx").starts_with("DS-217 "));
}

TEST_F(ConnectRequestTest, RefusesAnswersWithoutEnd) {
    const auto proxy = parse_proxy_url("http://proxy:3128");
    ConnectRequest request(proxy, hub);
    EXPECT_FALSE(request.take("HTTP/1.1 200 OK\r\nX: "));
    const std::string line(8000, 'x');
    EXPECT_FALSE(request.take(line));
    EXPECT_THROW(request.take(line), Failure);
}

}  // namespace
}  // namespace device_streams
