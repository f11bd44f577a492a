#include "common/net/ack_watch.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using namespace std::chrono_literals;

TransportState state(bool in_flight, int probes, std::chrono::milliseconds since_heard) {
    return {.in_flight = in_flight, .unanswered_probes = probes, .since_heard = since_heard};
}

// How many looks it takes, up to 100.
int looks_until_dead(AckWatch watch, const TransportState& always) {
    for (int look = 1; look <= 100; ++look)
        if (watch.is_dead(always)) return look;
    return 0;
}

TEST(AckWatch, LooksOftenEnoughToKeepItsWord) {
    const AckWatch watch(60s);
    EXPECT_EQ(watch.interval(), 10s);
    // Data sent right after a look: the fifth look that finds it unanswered is at most 50 s later.
    EXPECT_EQ(looks_until_dead(watch, state(true, 0, 100s)), 5);
}

TEST(AckWatch, AQuietConnectionIsAlive) {
    EXPECT_EQ(looks_until_dead(AckWatch(60s), state(false, 0, 1h)), 0);
}

TEST(AckWatch, ASlowReaderThatAcknowledgesIsAlive) {
    EXPECT_EQ(looks_until_dead(AckWatch(60s), state(true, 0, 9s)), 0);
}

TEST(AckWatch, AClosedWindowIsNoFaultUntilThreeProbesStayUnanswered) {
    EXPECT_EQ(looks_until_dead(AckWatch(60s), state(false, 2, 100s)), 0);
    EXPECT_EQ(looks_until_dead(AckWatch(60s), state(false, 3, 100s)), 5);
    EXPECT_EQ(looks_until_dead(AckWatch(60s), state(false, 3, 5s)), 0);
}

TEST(AckWatch, AnyAnswerStartsTheCountAgain) {
    AckWatch watch(60s);
    for (int look = 0; look < 4; ++look) EXPECT_FALSE(watch.is_dead(state(true, 0, 100s)));
    EXPECT_FALSE(watch.is_dead(state(true, 0, 1s)));
    EXPECT_EQ(looks_until_dead(watch, state(true, 0, 100s)), 5);
}

}  // namespace
}  // namespace device_streams
