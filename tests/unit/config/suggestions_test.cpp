#include "common/config/suggestions.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

const std::vector<std::string> keys{"connection_string", "ca_file", "address", "port"};

TEST(Nearest, FindsTypingSlips) {
    EXPECT_EQ(nearest("adress", keys), "address");
    EXPECT_EQ(nearest("prot", keys), "port");
    EXPECT_EQ(nearest("CA_File", keys), "ca_file");
    EXPECT_EQ(nearest("conection_srting", keys), "connection_string");
}

TEST(Nearest, FindsWordsCutShort) {
    EXPECT_EQ(nearest("conn", keys), "connection_string");
}

TEST(Nearest, DoesNotGuessWildly) {
    EXPECT_EQ(nearest("timeout", keys), "");
    EXPECT_EQ(nearest("x", keys), "");
    EXPECT_EQ(nearest("", keys), "");
    EXPECT_EQ(nearest(std::string(1'000'000, 'a'), keys), "");
}

TEST(Shown, QuotesEscapesAndShortens) {
    EXPECT_EQ(shown("abc"), "\"abc\"");
    EXPECT_EQ(shown("a\nb"), "\"a\\nb\"");
    EXPECT_EQ(shown(std::string(100, 'x')), '"' + std::string(60, 'x') + "...\"");
}

TEST(Shown, HidesWhatLooksLikeACredential) {
    EXPECT_EQ(shown("HostName=h;SharedAccessKey=abc").find("abc"), std::string::npos);
    EXPECT_EQ(shown("sharedaccesssignature sr=h&SIG=abc").find("abc"), std::string::npos);
}

TEST(Wrapped, BreaksBetweenWords) {
    EXPECT_EQ(wrapped("aa bb cc", 5), (std::vector<std::string>{"aa bb", "cc"}));
    EXPECT_EQ(wrapped("longword", 3), (std::vector<std::string>{"longword"}));
}

}  // namespace
}  // namespace device_streams
