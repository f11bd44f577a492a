#include "common/http/message.hpp"

#include <gtest/gtest.h>

namespace device_streams::http {
namespace {

TEST(Headers, FindIgnoresCaseAndSurroundingBlanks) {
    const Headers headers{{"Content-Type", " text/plain\t"}};
    EXPECT_EQ(headers.find("content-TYPE"), "text/plain");
    EXPECT_EQ(headers.find("Content"), std::nullopt);
}

TEST(Headers, FindGivesTheFirstValueOfARepeatedName) {
    const Headers headers{{"A", "1"}, {"a", "2"}};
    EXPECT_EQ(headers.find("A"), "1");
}

TEST(Headers, TokensAreFoundInEveryPlaceOfAList) {
    const Headers headers{{"Connection", "keep-alive , UPGRADE"}, {"connection", "x"}};
    EXPECT_TRUE(headers.has_token("Connection", "upgrade"));
    EXPECT_TRUE(headers.has_token("Connection", "keep-alive"));
    EXPECT_TRUE(headers.has_token("Connection", "X"));
}

TEST(Headers, ATokenIsNotFoundInsideAnother) {
    const Headers headers{{"Connection", "not-upgrade, upgraded"}, {"Other", "upgrade"}};
    EXPECT_FALSE(headers.has_token("Connection", "upgrade"));
}

TEST(Request, PathEndsAtTheQuestionMark) {
    Request request;
    request.target = "/twins/dev-01/streams/ssh?api-version=2020-09-30";
    EXPECT_EQ(request.path(), "/twins/dev-01/streams/ssh");
    request.target = "/x";
    EXPECT_EQ(request.path(), "/x");
}

}  // namespace
}  // namespace device_streams::http
