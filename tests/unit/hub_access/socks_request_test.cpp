#include "common/hub_access/socks_request.hpp"

#include <gtest/gtest.h>

#include <map>

namespace device_streams {
namespace {

using namespace std::string_literals;

const std::string bound = "\x01\x7f\x00\x00\x01\x04\x38"s;  // 127.0.0.1:1080, as the end of a reply
const std::string no_login = "\x05\x00"s, by_password = "\x05\x02"s, welcome = "\x01\x00"s;
const std::string open_way = "\x05\x00\x00"s + bound;

struct SocksRequestTest : testing::Test {
    // The code and the detail of what the answer leads to; "open" or "more" when it leads to none.
    std::string outcome(std::string_view answer, const std::string& url = "socks5h://proxy") {
        const auto proxy = parse_proxy_url(url);
        SocksRequest request(proxy, hub);
        try {
            return request.take(answer) ? "open" : "more";
        } catch (const Failure& failure) {
            return std::string(describe(failure.errc()).id) + " " + failure.detail();
        }
    }
    // All that is said to a proxy that wants no password.
    std::string asked(const Endpoint& target) {
        const auto proxy = parse_proxy_url("socks5h://proxy");
        SocksRequest request(proxy, target);
        const auto greeting = request.next_words();
        request.take(no_login);
        return greeting + request.next_words();
    }
    Endpoint hub{.host = "hub.example.com", .port = 443, .path = {}};
    std::string with_password = "socks5h://anna:p%40ss:word@proxy";
};

TEST_F(SocksRequestTest, AsksForTheHubByName) {
    EXPECT_EQ(asked(hub), "\x05\x01\x00\x05\x01\x00\x03\x0fhub.example.com\x01\xbb"s);
}

TEST_F(SocksRequestTest, AddressesAreAskedForAsAddresses) {
    EXPECT_EQ(asked({.host = "192.0.2.7", .port = 8883, .path = {}}),
              "\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x07\x22\xb3"s);
    const auto address = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"s;
    EXPECT_EQ(asked({.host = "2001:db8::1", .port = 443, .path = {}}),
              "\x05\x01\x00\x05\x01\x00\x04"s + address + "\x01\xbb"s);
}

TEST_F(SocksRequestTest, NamesMayBeAsLongAsSocksTakesThem) {
    const std::string longest(255, 'a');
    EXPECT_NE(asked({.host = longest, .port = 443, .path = {}}).find("\x03\xff" + longest), std::string::npos);
    hub.host = longest + "a";
    EXPECT_TRUE(outcome(no_login).starts_with("DS-215 ") &&
                outcome(no_login).ends_with("the name is too long for SOCKS"));
}

TEST_F(SocksRequestTest, GivesUserAndPasswordOnlyWhereTheyAreWanted) {
    const auto proxy = parse_proxy_url(with_password);
    SocksRequest unwanted(proxy, hub);
    EXPECT_EQ(unwanted.next_words(), "\x05\x02\x00\x02"s);
    EXPECT_FALSE(unwanted.take(no_login));
    EXPECT_TRUE(unwanted.next_words().starts_with("\x05\x01\x00\x03"s));
    SocksRequest wanted(proxy, hub);
    wanted.next_words();
    EXPECT_FALSE(wanted.take(by_password));
    EXPECT_EQ(wanted.next_words(),
              "\x01\x04"
              "anna\x09p@ss:word"s);
    EXPECT_FALSE(wanted.take(welcome));
    EXPECT_TRUE(wanted.next_words().starts_with("\x05\x01\x00\x03"s));
    EXPECT_EQ(wanted.next_words(), "");
    EXPECT_TRUE(wanted.take(open_way));
}

TEST_F(SocksRequestTest, TakesRepliesWithEveryKindOfAddress) {
    EXPECT_EQ(outcome(no_login + open_way), "open");
    EXPECT_EQ(outcome(no_login + "\x05\x00\x00\x04"s + std::string(18, '\0')), "open");
    EXPECT_EQ(outcome(no_login + "\x05\x00\x00\x03\x05proxy\x04\x38"s), "open");
    EXPECT_EQ(outcome(no_login + "\x05\x00\x00\x03\x00\x04\x38"s), "open");
    EXPECT_EQ(outcome(by_password + welcome + open_way, with_password), "open");
    EXPECT_EQ(outcome(by_password + "\x05\x00"s + open_way, with_password),
              "open");  // version of SOCKS, not of the login
}

TEST_F(SocksRequestTest, TakesAnAnswerInAnyPieces) {
    const auto proxy = parse_proxy_url(with_password);
    SocksRequest request(proxy, hub);
    const auto answer = by_password + welcome + open_way;
    for (std::size_t i = 0; i + 1 < answer.size(); ++i) ASSERT_FALSE(request.take({&answer[i], 1})) << i;
    EXPECT_TRUE(request.take({&answer.back(), 1}));
}

TEST_F(SocksRequestTest, SaysWhatIsWrongWithTheCredentials) {
    const std::string asked_for = "DS-214 socks5h://proxy:1080 was asked for hub.example.com:443: ";
    EXPECT_EQ(outcome("\x05\xff"s), asked_for + "it wants user and password, or other authentication");
    EXPECT_EQ(outcome("\x05\xff"s, with_password),
              asked_for + "it takes other authentication than user and password, which is all that we have");
    EXPECT_EQ(outcome(by_password + "\x01\x01"s, with_password), asked_for + "it does not accept user and password");
}

TEST_F(SocksRequestTest, EachReplyHasItsOwnWords) {
    const std::map<int, std::pair<std::string, std::string>> meanings{
        {1, {"DS-216", "general failure"}},     {2, {"DS-215", "not allowed by its rules"}},
        {3, {"DS-216", "network unreachable"}}, {4, {"DS-216", "host unreachable"}},
        {5, {"DS-216", "connection refused"}},  {6, {"DS-216", "time to live expired"}},
        {7, {"DS-215", "no connections"}},      {8, {"DS-215", "no addresses of this kind"}},
        {9, {"DS-217", "does not know"}},       {255, {"DS-217", "does not know"}}};
    for (const auto& [number, meaning] : meanings) {
        const auto reply = no_login + "\x05"s + static_cast<char>(number);
        for (const auto& rest : {""s, "\x00"s + bound}) {  // some close without the rest
            const auto told = outcome(reply + rest);
            EXPECT_TRUE(told.starts_with(meaning.first + " socks5h://proxy:1080 was asked for hub.example.com:443: "))
                << told;
            EXPECT_NE(told.find("answered with " + std::to_string(number)), std::string::npos) << told;
            EXPECT_NE(told.find(meaning.second), std::string::npos) << told;
        }
    }
}

TEST_F(SocksRequestTest, RefusesWhatIsNoAnswer) {
    for (const std::string& answer :
         {"HTTP/1.1 400 Bad Request\r\n"s, "S"s, "\x00\x5b\x00\x00\x00\x00\x00\x00"s, "\x05\x01"s, "\x05\x02"s,
          no_login + "\x04\x00"s, no_login + "H"s, no_login + "\x05\x00\x00\x02"s + std::string(9, '\0'),
          no_login + "\x05\x00\x00\x00"s + std::string(9, '\0')})
        EXPECT_TRUE(outcome(answer).starts_with("DS-217 ")) << outcome(answer);
}

// TLS begins with our words: whoever speaks before is not the hub.
TEST_F(SocksRequestTest, RefusesBytesBehindTheAnswer) {
    EXPECT_TRUE(outcome(no_login + open_way + "x").starts_with("DS-217 "));
}

TEST_F(SocksRequestTest, AnEndMeansWhatItComesInsteadOf) {
    const auto at_end = [this](const std::string& answer) {
        const auto proxy = parse_proxy_url(with_password);
        SocksRequest request(proxy, hub);
        EXPECT_FALSE(request.take(answer));
        try {
            request.take_end();
        } catch (const Failure& failure) {
            return std::string(describe(failure.errc()).id);
        }
    };
    EXPECT_EQ(at_end(""), "DS-217");
    EXPECT_EQ(at_end(by_password), "DS-214");
    EXPECT_EQ(at_end(by_password + welcome), "DS-216");
    EXPECT_EQ(at_end(no_login), "DS-216");  // ssh -D
}

TEST_F(SocksRequestTest, WaitsForAWholeAnswer) {
    const auto whole = no_login + open_way;
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_EQ(outcome(whole.substr(0, size)), "more") << size;
}

}  // namespace
}  // namespace device_streams
