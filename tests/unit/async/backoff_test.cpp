#include "common/async/backoff.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using namespace std::chrono_literals;

constexpr Backoff::Limits limits{.first = 1s, .longest = 8s, .proof_of_life = 5s};

TEST(Backoff, CeilingDoublesUpToTheLongest) {
    Backoff backoff(limits, [] { return 1.0; });
    for (const auto expected : {1s, 2s, 4s, 8s, 8s}) EXPECT_EQ(backoff.next(), expected);
}

TEST(Backoff, JitterIsFullFromZero) {
    Backoff backoff(limits, [] { return 0.0; });
    EXPECT_EQ(backoff.next(), 0s);
}

TEST(Backoff, ALongLifeResetsIt) {
    Backoff backoff(limits, [] { return 1.0; });
    backoff.next();
    backoff.next();
    backoff.lived(5s);
    EXPECT_EQ(backoff.next(), 1s);
}

TEST(Backoff, ALinkThatDiesYoungDoesNotResetIt) {
    Backoff backoff(limits, [] { return 1.0; });
    backoff.next();
    backoff.next();
    backoff.lived(4s);
    EXPECT_EQ(backoff.next(), 4s);
}

TEST(Backoff, TwoOfThemDoNotWaitInStep) {
    Backoff one(limits), other(limits);
    bool differ = false;
    for (int i = 0; i < 8; ++i) differ |= one.next() != other.next();
    EXPECT_TRUE(differ);
}

}  // namespace
}  // namespace device_streams
