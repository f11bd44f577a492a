#include "common/base/proxy_url.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace device_streams {
namespace {

TEST(ProxyUrl, HasASchemeAHostAndAPort) {
    const auto url = parse_proxy_url("http://proxy.example.com:3128");
    EXPECT_EQ(url.kind, ProxyKind::http);
    EXPECT_EQ(url.endpoint.to_string(), "proxy.example.com:3128");
    EXPECT_TRUE(url.credentials.empty());
    EXPECT_EQ(parse_proxy_url("HTTPS://proxy:3129/").kind, ProxyKind::https);
}

TEST(ProxyUrl, SocksGoesByItsUsualNames) {
    for (const auto* text : {"socks5h://proxy:9", "socks5://proxy:9", "socks://proxy:9/", "SOCKS5H://proxy:9"}) {
        EXPECT_EQ(parse_proxy_url(text).kind, ProxyKind::socks5) << text;
        EXPECT_EQ(parse_proxy_url(text).to_string(), "socks5h://proxy:9");
    }
}

TEST(ProxyUrl, SocksTakesUpTo255BytesOfUserAndOfPassword) {  // RFC 1929
    const std::string longest(255, 'x');
    EXPECT_EQ(parse_proxy_url("socks5h://" + longest + ":" + longest + "@proxy").credentials,
              Secret(longest + ":" + longest));
    EXPECT_THROW(parse_proxy_url("socks5h://x" + longest + ":y@proxy"), std::invalid_argument);
    EXPECT_THROW(parse_proxy_url("socks5h://y:x" + longest + "@proxy"), std::invalid_argument);
    EXPECT_NO_THROW(parse_proxy_url("http://y:x" + longest + "@proxy"));
}

TEST(ProxyUrl, SchemeAndPortMayBeLeftOut) {
    EXPECT_EQ(parse_proxy_url("proxy:3128"), parse_proxy_url("http://proxy:3128"));
    EXPECT_EQ(parse_proxy_url("http://proxy").endpoint.port, 80);
    EXPECT_EQ(parse_proxy_url("https://proxy").endpoint.port, 443);
    EXPECT_EQ(parse_proxy_url("socks5h://proxy").endpoint.port, 1080);
}

TEST(ProxyUrl, IPv6AddressesStandInBrackets) {
    EXPECT_EQ(parse_proxy_url("http://[2001:db8::1]:3128").endpoint, (Endpoint{"2001:db8::1", 3128, ""}));
    EXPECT_EQ(parse_proxy_url("http://u:p@[2001:db8::1]").endpoint, (Endpoint{"2001:db8::1", 80, ""}));
    EXPECT_EQ(parse_proxy_url("http://[::1]:3128").to_string(), "http://[::1]:3128");
}

TEST(ProxyUrl, CredentialsAreDecoded) {
    EXPECT_EQ(parse_proxy_url("http://anna:p%40ss%3A%2f@proxy:1").credentials, Secret("anna:p@ss:/"));
    EXPECT_EQ(parse_proxy_url("http://DOM%5canna:@proxy:1").credentials, Secret("DOM\\anna:"));
}

TEST(ProxyUrl, PasswordsAsManyWriteThemAreUnderstood) {
    EXPECT_EQ(parse_proxy_url("http://anna:p@ss/word:1@proxy:3128").credentials, Secret("anna:p@ss/word:1"));
}

TEST(ProxyUrl, PrintsWithoutCredentials) {
    EXPECT_EQ(parse_proxy_url("https://anna:secret@proxy:3128").to_string(), "https://proxy:3128");
}

TEST(ProxyUrl, RefusesEverythingElseAndRepeatsNothing) {
    for (const auto* text : {"",
                             "http://",
                             "socks4://secret:1",
                             "socks5h://a:@secret",
                             "ftp://secret",
                             "http://secret:0",
                             "http://secret:70000",
                             "http://secret:x",
                             "http://secret:1/path",
                             "http://secret@proxy:1",
                             "http://:secret@proxy:1",
                             "http://a:secret%4@proxy",
                             "http://a:secret%zz@proxy",
                             "http://a:secret%0a@proxy",
                             "http://a%3Ab:secret@proxy",
                             "http://[secret:1",
                             "http://::1:3128",
                             "unix:/secret",
                             "http://unix:/secret",
                             "http://sec ret:1",
                             "http://secret\r\n:1"}) {
        try {
            parse_proxy_url(text);
            ADD_FAILURE() << text;
        } catch (const std::invalid_argument& wrong) {
            EXPECT_EQ(std::string(wrong.what()).find("secret"), std::string::npos) << wrong.what();
        }
    }
}

}  // namespace
}  // namespace device_streams
