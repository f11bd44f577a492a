#include "common/base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

namespace device_streams {
namespace {

TEST(Random, HexHasTwoLowerCaseDigitsForEachByte) {
    const auto text = random_hex(8);
    EXPECT_EQ(text.size(), 16u);
    EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos) << text;
    EXPECT_EQ(random_hex(0), "");
}

TEST(Random, HexIsFresh) {
    EXPECT_NE(random_hex(8), random_hex(8));
}

TEST(RandomHexId, Has32DigitsAndIsFresh) {
    const auto one = random_hex_id(), two = random_hex_id();
    EXPECT_EQ(one.size(), 32u);
    EXPECT_TRUE(std::ranges::all_of(
        one, [](char c) { return std::string_view("0123456789abcdef").find(c) != std::string_view::npos; }));
    EXPECT_NE(one, two);
}

}  // namespace
}  // namespace device_streams
