#include "common/base/random.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace device_streams
