#include "common/tls/ticket_keys.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using namespace std::chrono_literals;

TEST(TicketKeys, AreMadeAnewByTime) {
    TicketKeys keys;
    const TicketKeys::Time start{1h};
    const auto first = keys.current(start);
    EXPECT_EQ(keys.current(start + 2h - 1s).name, first.name);
    const auto second = keys.current(start + 2h);
    EXPECT_NE(second.name, first.name);
    EXPECT_NE(second.cipher, first.cipher);
    EXPECT_NE(second.mac, first.mac);
}

TEST(TicketKeys, ReadTicketsForAsLongAgain) {
    TicketKeys keys;
    const TicketKeys::Time start{1h};
    const auto first = keys.current(start);
    EXPECT_EQ(keys.find(first.name, start + 3h).value().cipher, first.cipher);
    EXPECT_FALSE(keys.find(first.name, start + 4h));
    EXPECT_FALSE(keys.find({}, start + 4h));
}

TEST(TicketKeys, AfterALongSilenceAreNoneOfThemKnown) {
    TicketKeys keys;
    const TicketKeys::Time start{1h};
    const auto first = keys.current(start);
    EXPECT_FALSE(keys.find(first.name, start + 100h));
}

}  // namespace
}  // namespace device_streams
