#include "common/base/secret.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace device_streams {
namespace {

TEST(Secret, PrintsAsStars) {
    std::ostringstream out;
    out << Secret("topsecret");
    EXPECT_EQ(out.str(), "***");
}

TEST(Secret, RevealsItsTextByName) {
    EXPECT_EQ(Secret("topsecret").reveal(), "topsecret");
    EXPECT_TRUE(Secret().empty());
}

TEST(Secret, IsGoneFromWhereItWasMovedFrom) {
    Secret from("topsecret");
    const Secret to(std::move(from));
    EXPECT_EQ(to.reveal(), "topsecret");
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is the point
    Secret assigned("old");
    Secret again("newsecret");
    assigned = std::move(again);
    EXPECT_EQ(assigned.reveal(), "newsecret");
    EXPECT_TRUE(again.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(Secret, KeepsItsTextWhenAssignedToItself) {
    Secret secret("topsecret");
    const auto& same = secret;
    secret = same;
    EXPECT_EQ(secret.reveal(), "topsecret");
}

TEST(Secret, ComparesByText) {
    EXPECT_TRUE(Secret("a") == Secret("a"));
    EXPECT_FALSE(Secret("a") == Secret("b"));
    EXPECT_FALSE(Secret("a") == Secret("ab"));
}

}  // namespace
}  // namespace device_streams
