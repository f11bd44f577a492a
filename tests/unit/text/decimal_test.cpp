#include "common/text/decimal.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace device_streams {
namespace {

TEST(ParseDecimal, TakesWhatFits) {
    EXPECT_EQ(parse_decimal<std::uint16_t>("0"), 0);
    EXPECT_EQ(parse_decimal<std::uint16_t>("065535"), 65535);
    EXPECT_EQ(parse_decimal<std::uint16_t>("65536"), std::nullopt);
    EXPECT_EQ(parse_decimal<std::int64_t>("9223372036854775807"), INT64_MAX);
    EXPECT_EQ(parse_decimal<std::int64_t>("9223372036854775808"), std::nullopt);
}

TEST(ParseDecimal, TakesDigitsOnly) {
    for (const auto* text : {"", "-1", "-0", "+1", " 1", "1 ", "1x", "0x1", "1.0", "1e3"})
        EXPECT_EQ(parse_decimal<int>(text), std::nullopt) << text;
}

}  // namespace
}  // namespace device_streams
