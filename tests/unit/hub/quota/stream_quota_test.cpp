#include "hub/quota/stream_quota.hpp"

#include "hub/quota/stream_quotas.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;
using Limit = QuotaRefused::Limit;

class StreamQuotaTest : public testing::Test {
 protected:
    using Held = StreamQuota::Held;

    void limit(QuotaScope scope, QuotaLimits limits) {
        at_scope(settings, scope) = limits;
        quota.set(settings);
    }
    void pass(Clock::duration time) {
        now.steady += time;
        now.wall += time;
    }
    std::optional<QuotaRefused> refusal(const StreamParties& parties) {
        auto opened = quota.open(parties, now);
        if (auto* refused = std::get_if<QuotaRefused>(&opened)) return *refused;
        held.push_back(std::get<Held>(opened));
        return std::nullopt;
    }
    std::optional<QuotaRefused> refusal() { return refusal(usual); }
    bool opens(const StreamParties& parties) { return !refusal(parties); }
    bool opens() { return opens(usual); }
    void carry(std::uint64_t bytes) { quota.count(held.back(), bytes, now); }
    void close_last() {
        quota.close(held.back(), now);
        held.pop_back();
    }
    void close_all() {
        while (!held.empty()) close_last();
    }
    std::uint64_t bytes_today() {
        const auto volumes = quota.volumes(now);
        const auto& hub = at_scope(volumes.bytes, QuotaScope::hub);
        return hub.contains("") ? hub.at("") : 0;
    }

    const StreamParties usual{"service", "dev-01", "192.0.2.1"};
    QuotaSettings settings{};
    StreamQuota quota{settings, 100};
    // Ten in the morning.
    QuotaMoment now{Clock::time_point(1h), Clock::wall_time(std::chrono::sys_days(std::chrono::days(20'000))) + 10h};
    std::vector<Held> held;
};

TEST_F(StreamQuotaTest, WithoutLimitsAllIsOpened) {
    for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(opens());
    carry(1'000'000'000'000);
    EXPECT_TRUE(opens());
}

// The rate.

TEST_F(StreamQuotaTest, RateAllowsABurstAndThenItsPace) {
    limit(QuotaScope::hub, {.opens_per_second = 5});
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(opens()) << i;
    EXPECT_EQ(refusal()->limit, Limit::opens);
    pass(199ms);
    EXPECT_FALSE(opens());
    pass(1ms);
    EXPECT_TRUE(opens());
    EXPECT_FALSE(opens());
    pass(10s);
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(opens()) << i;
    EXPECT_FALSE(opens());
}

TEST_F(StreamQuotaTest, BurstMayBeLargerThanASecondsWorth) {
    limit(QuotaScope::hub, {.opens_per_second = 1, .burst = 3});
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(opens()) << i;
    const auto refused = refusal();
    EXPECT_EQ(refused->retry_after, 1s);
    pass(refused->retry_after);
    EXPECT_TRUE(opens());
}

TEST_F(StreamQuotaTest, RefusedOnesDoNotPushTheNextOneBack) {
    limit(QuotaScope::hub, {.opens_per_second = 1});
    EXPECT_TRUE(opens());
    for (int i = 0; i < 9; ++i) {
        pass(100ms);
        EXPECT_FALSE(opens());
    }
    pass(100ms);
    EXPECT_TRUE(opens());
}

TEST_F(StreamQuotaTest, FasterRateHoldsAtOnce) {
    limit(QuotaScope::hub, {.opens_per_second = 1, .burst = 1'000});
    for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(opens());
    limit(QuotaScope::hub, {.opens_per_second = 10});
    EXPECT_FALSE(opens());
    pass(100ms);
    EXPECT_TRUE(opens()) << "the debt of the old rate must not be paid at the new one";
}

// Streams at a time.

TEST_F(StreamQuotaTest, StreamsAtATime) {
    limit(QuotaScope::device, {.streams = 2});
    EXPECT_TRUE(opens());
    EXPECT_TRUE(opens());
    const auto refused = refusal();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->limit, Limit::streams);
    EXPECT_EQ(refused->text, "one device may have 2 streams at a time");
    EXPECT_GT(refused->retry_after, 0s);
    close_last();
    EXPECT_TRUE(opens());
}

TEST_F(StreamQuotaTest, LimitThatIsLoweredBelowWhatRunsWaitsForItsEnd) {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(opens());
    limit(QuotaScope::hub, {.streams = 2});
    EXPECT_FALSE(opens());
    close_last();
    EXPECT_FALSE(opens());
    close_last();
    EXPECT_TRUE(opens());
    close_all();
}

// Scopes.

TEST_F(StreamQuotaTest, EachScopeCountsItsOwn) {
    const std::pair<QuotaScope, StreamParties> others[] = {
        {QuotaScope::policy, {"other", "dev-01", "192.0.2.1"}},
        {QuotaScope::device, {"service", "dev-02", "192.0.2.1"}},
        {QuotaScope::address, {"service", "dev-01", "192.0.2.2"}},
    };
    for (const auto& [scope, other] : others) {
        settings = {};
        limit(scope, {.streams = 1});
        EXPECT_TRUE(opens());
        EXPECT_FALSE(opens()) << to_string(scope);
        EXPECT_TRUE(opens(other)) << to_string(scope);
        EXPECT_FALSE(opens(other)) << to_string(scope);
        close_all();
    }
    settings = {};
    limit(QuotaScope::hub, {.streams = 1});
    EXPECT_TRUE(opens());
    for (const auto& [scope, other] : others) EXPECT_FALSE(opens(other));
}

TEST_F(StreamQuotaTest, WhatOneScopeRefusesCostsTheOthersNothing) {
    limit(QuotaScope::hub, {.opens_per_second = 2});
    limit(QuotaScope::device, {.streams = 1});
    EXPECT_TRUE(opens());
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(opens());
    EXPECT_TRUE(opens({"service", "dev-02", "192.0.2.1"}));
}

TEST_F(StreamQuotaTest, OfSeveralReasonsTheLongestIsTold) {
    limit(QuotaScope::hub, {.opens_per_second = 1});
    limit(QuotaScope::policy, {.bytes_per_day = 10});
    EXPECT_TRUE(opens());
    carry(10);
    EXPECT_EQ(refusal()->limit, Limit::bytes);
}

// The day.

TEST_F(StreamQuotaTest, DaysBytesEndNewStreamsUntilMidnightUtc) {
    limit(QuotaScope::hub, {.bytes_per_day = 1'000});
    EXPECT_TRUE(opens());
    carry(999);
    EXPECT_TRUE(opens());
    carry(1);
    const auto refused = refusal();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->limit, Limit::bytes);
    EXPECT_EQ(refused->retry_after, 14h);
    pass(14h - 1s);
    EXPECT_EQ(refusal()->retry_after, 1s);
    pass(1s);
    EXPECT_TRUE(opens());
}

TEST_F(StreamQuotaTest, StreamThatOutlivesTheDayCountsOnTheNext) {
    limit(QuotaScope::hub, {.bytes_per_day = 1'000});
    EXPECT_TRUE(opens());
    carry(900);
    pass(14h);
    carry(200);
    EXPECT_EQ(bytes_today(), 200u);
}

TEST_F(StreamQuotaTest, ClockThatIsSetBackUnlocksNothingAndLocksForADayAtMost) {
    limit(QuotaScope::hub, {.bytes_per_day = 1'000});
    EXPECT_TRUE(opens());
    carry(1'000);
    now.wall -= 24h * 365;
    EXPECT_EQ(refusal()->retry_after, 14h);
    pass(14h);
    EXPECT_TRUE(opens());
}

TEST_F(StreamQuotaTest, ClockThatWasAheadLocksNothingForEver) {
    limit(QuotaScope::hub, {.bytes_per_day = 1'000});
    EXPECT_TRUE(opens());
    now.wall += 24h * 3'650;
    EXPECT_TRUE(opens());
    carry(1'000);
    now.wall -= 24h * 3'650;
    EXPECT_FALSE(opens());
    pass(14h);
    EXPECT_TRUE(opens());
}

TEST_F(StreamQuotaTest, ClockThatJumpsAboutMidnightGivesOneDay) {
    limit(QuotaScope::hub, {.bytes_per_day = 1'000});
    pass(14h - 1s);
    EXPECT_TRUE(opens());
    carry(1'000);
    pass(2s);
    EXPECT_TRUE(opens());
    carry(1'000);
    for (int i = 0; i < 5; ++i) {
        now.wall -= 2s;
        EXPECT_FALSE(opens());
        now.wall += 2s;
        EXPECT_FALSE(opens()) << i;
    }
    pass(1h);
    EXPECT_TRUE(opens()) << "the day that was held back";
}

// What is remembered.

TEST_F(StreamQuotaTest, IdlePartiesAreForgotten) {
    limit(QuotaScope::device, {.opens_per_second = 5});
    EXPECT_TRUE(opens());
    carry(10);
    pass(1s);
    close_last();
    EXPECT_EQ(quota.remembered(QuotaScope::device), 0u);
    EXPECT_EQ(quota.remembered(QuotaScope::address), 0u);
    EXPECT_EQ(quota.remembered(QuotaScope::policy), 1u) << "its day is shown";
    EXPECT_EQ(bytes_today(), 10u);
}

TEST_F(StreamQuotaTest, EmptyBucketIsRememberedUntilItIsFull) {
    limit(QuotaScope::address, {.opens_per_second = 1});
    EXPECT_TRUE(opens());
    close_last();
    EXPECT_FALSE(opens());
    EXPECT_EQ(quota.remembered(QuotaScope::address), 1u);
}

TEST_F(StreamQuotaTest, ManyAddressesCannotGrowIt) {
    limit(QuotaScope::address, {.bytes_per_day = 10});
    EXPECT_TRUE(opens());  // runs on
    for (int i = 0; i < 10'000; ++i) {
        pass(1ms);
        EXPECT_TRUE(opens({"service", "dev-01", "10." + std::to_string(i)}));
        carry(5);
        close_last();
        ASSERT_LE(quota.remembered(QuotaScope::address), 100u);
    }
    EXPECT_GE(quota.remembered(QuotaScope::address), 75u) << "only as many as must be are forgotten";
    carry(10);
    EXPECT_FALSE(opens()) << "who has a stream is never forgotten";
}

TEST_F(StreamQuotaTest, RefusedOnesAreNotRemembered) {
    limit(QuotaScope::policy, {.streams = 1});
    EXPECT_TRUE(opens());
    for (int i = 0; i < 50; ++i) EXPECT_FALSE(opens({"service", "dev-" + std::to_string(i), "192.0.2.7"}));
    EXPECT_EQ(quota.remembered(QuotaScope::device), 1u);
    EXPECT_EQ(quota.remembered(QuotaScope::address), 1u);
}

// Over a restart.

TEST_F(StreamQuotaTest, EarlierHubsVolumesOfTheDayCount) {
    limit(QuotaScope::device, {.bytes_per_day = 100});
    EXPECT_TRUE(opens());
    carry(100);
    const auto volumes = quota.volumes(now);
    StreamQuota next(settings);
    next.restore(volumes, now);
    EXPECT_TRUE(std::holds_alternative<QuotaRefused>(next.open(usual, now)));
    StreamQuota tomorrow(settings);
    pass(24h);
    tomorrow.restore(volumes, now);
    EXPECT_TRUE(std::holds_alternative<StreamQuota::Held>(tomorrow.open(usual, now)));
}

TEST_F(StreamQuotaTest, VolumesOfAClockThatWasAheadCountAsTodays) {
    limit(QuotaScope::device, {.bytes_per_day = 100});
    EXPECT_TRUE(opens());
    carry(100);
    auto volumes = quota.volumes(now);
    volumes.day += std::chrono::days(1'000);
    StreamQuota next(settings);
    next.restore(volumes, now);
    EXPECT_TRUE(std::holds_alternative<QuotaRefused>(next.open(usual, now)));
    pass(14h);
    EXPECT_TRUE(std::holds_alternative<StreamQuota::Held>(next.open(usual, now)));
}

TEST_F(StreamQuotaTest, UseShowsTheBusiestFirst) {
    EXPECT_TRUE(opens());
    EXPECT_TRUE(opens({"service", "dev-02", "192.0.2.1"}));
    carry(7);
    EXPECT_TRUE(opens({"service", "dev-03", "192.0.2.1"}));
    const auto use = quota.use(now, 2);
    EXPECT_EQ(use.day_ends_in, 14h);
    const auto& devices = at_scope(use.scopes, QuotaScope::device);
    EXPECT_EQ(devices.known, 3u);
    ASSERT_EQ(devices.rows.size(), 2u);
    EXPECT_EQ(devices.rows[0].name, "dev-02");
    EXPECT_EQ(devices.rows[0].bytes, 7u);
    EXPECT_EQ(at_scope(use.scopes, QuotaScope::hub).rows.front().streams, 3u);
}

}  // namespace
}  // namespace device_streams::hub
