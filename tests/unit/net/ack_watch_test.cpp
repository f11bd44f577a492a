#include "common/net/ack_watch.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using namespace std::chrono_literals;

TransportState state(bool in_flight, int probes, std::chrono::milliseconds since_heard) {
    return {.in_flight = in_flight,
            .unanswered_probes = probes,
            .large_resent = 0,
            .since_heard = since_heard,
            .since_data = since_heard};
}

// How many looks it takes, up to 100.
int looks_until_dead(AckWatch watch, const TransportState& always) {
    for (int look = 1; look <= 100; ++look)
        if (watch.look(always) != AckWatch::Verdict::alive) return look;
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
    for (int look = 0; look < 4; ++look) EXPECT_EQ(watch.look(state(true, 0, 100s)), AckWatch::Verdict::alive);
    EXPECT_EQ(watch.look(state(true, 0, 1s)), AckWatch::Verdict::alive);
    EXPECT_EQ(looks_until_dead(watch, state(true, 0, 100s)), 5);
}

// Large packets that were sent again so often, at a peer of whom new data came so long ago.
TransportState in_vain(int resent, std::chrono::milliseconds since_data) {
    return {
        .in_flight = true, .unanswered_probes = 0, .large_resent = resent, .since_heard = 0s, .since_data = since_data};
}

TEST(AckWatch, APathThatSwallowsLargePacketsIsNamedBeforeThePeerGivesUp) {
    AckWatch watch(60s);
    EXPECT_EQ(watch.look(in_vain(4, 1s)), AckWatch::Verdict::alive);
    EXPECT_EQ(watch.look(in_vain(5, 1s)), AckWatch::Verdict::alive);
    EXPECT_EQ(watch.look(in_vain(6, 11s)), AckWatch::Verdict::swallowing);
}

TEST(AckWatch, AnOutageThatEndsWaitsForTheNextAttempt) {
    AckWatch watch(60s);
    EXPECT_EQ(watch.look(in_vain(5, 9s)), AckWatch::Verdict::alive);
    EXPECT_EQ(watch.look(in_vain(6, 19s)), AckWatch::Verdict::alive);
    EXPECT_EQ(watch.look(in_vain(7, 1s)), AckWatch::Verdict::alive) << "the path is back";
    EXPECT_EQ(watch.look(in_vain(7, 1s)), AckWatch::Verdict::alive) << "and nothing was sent since";
    EXPECT_EQ(watch.look(in_vain(0, 1s)), AckWatch::Verdict::alive);
    EXPECT_EQ(watch.look(in_vain(5, 1s)), AckWatch::Verdict::alive);
    EXPECT_EQ(watch.look(in_vain(6, 1s)), AckWatch::Verdict::alive) << "the next outage counts anew";
    EXPECT_EQ(watch.look(in_vain(5, 1s)), AckWatch::Verdict::alive) << "and so does one that began between two looks";
}

TEST(AckWatch, LossThatEndsIsNotSwallowing) {
    AckWatch watch(60s);
    for (int look = 0; look < 20; ++look)
        EXPECT_EQ(watch.look(in_vain(look % 3 == 2 ? 0 : 4, 1s)), AckWatch::Verdict::alive);
    EXPECT_EQ(looks_until_dead(AckWatch(60s), in_vain(3, 1s)), 0);
}

// What came before the first packet vanished says nothing, and a peer that sends the same again gets nothing of ours.
TEST(AckWatch, APathThatSwallowsEverythingIsNotSaidToSwallowLargePackets) {
    AckWatch watch(60s);
    EXPECT_EQ(watch.look(in_vain(4, 1s)), AckWatch::Verdict::alive);
    EXPECT_EQ(looks_until_dead(watch, in_vain(9, 11s)), 0);
    EXPECT_EQ(looks_until_dead(AckWatch(60s), state(true, 0, 100s)), 5);
}

}  // namespace
}  // namespace device_streams
