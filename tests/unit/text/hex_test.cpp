#include "common/text/hex.hpp"

#include <gtest/gtest.h>

#include <array>

namespace device_streams {
namespace {

TEST(Hex, HasTwoLowerCaseDigitsForEachByte) {
    EXPECT_EQ(to_hex(std::array<unsigned char, 4>{0x00, 0x0f, 0xa0, 0xff}), "000fa0ff");
    EXPECT_EQ(to_hex({}), "");
}

TEST(Hex, DigitsHaveTheirValuesInEitherCase) {
    const std::string lower = "0123456789abcdef", upper = "0123456789ABCDEF";
    for (unsigned value = 0; value < 16; ++value) {
        EXPECT_EQ(hex_digit(value), lower[value]);
        EXPECT_EQ(hex_value(lower[value]), value);
        EXPECT_EQ(hex_value(upper[value]), value);
    }
}

TEST(Hex, NothingElseIsADigit) {
    int digits = 0, lower_digits = 0;
    for (int byte = 0; byte < 256; ++byte) {
        digits += is_hex_digit(static_cast<char>(byte)) ? 1 : 0;
        lower_digits += is_lower_hex_digit(static_cast<char>(byte)) ? 1 : 0;
    }
    EXPECT_EQ(digits, 22);
    EXPECT_EQ(lower_digits, 16);
    for (const char c : {'0', '9', 'a', 'f', 'A', 'F'}) EXPECT_TRUE(is_hex_digit(c)) << c;
    EXPECT_FALSE(is_lower_hex_digit('A'));
}

}  // namespace
}  // namespace device_streams
