#include "common/text/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace device_streams {
namespace {

TEST(Utf8, TakesTheFirstAndLastCharacterOfEachLength) {
    for (const std::string text :
         {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF",
          "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "\xEF\xBB\xBF"})
        EXPECT_TRUE(is_valid_utf8("x" + text + "y")) << text;
    EXPECT_TRUE(is_valid_utf8(std::string(1, '\0')));
}

TEST(Utf8, RefusesOverlongForms) {
    for (const auto* text : {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF"})
        EXPECT_FALSE(is_valid_utf8(text)) << text;
}

TEST(Utf8, RefusesSurrogatesAndWhatLiesAboveUnicode) {
    for (const auto* text : {"\xED\xA0\x80", "\xED\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xFE"})
        EXPECT_FALSE(is_valid_utf8(text)) << text;
}

TEST(Utf8, RefusesWhatIsCutOrOutOfPlace) {
    for (const auto* text : {"\x80", "\xBF", "\xC2", "\xC2x", "\xE1\x80", "\xE1\x80x", "\xF1\x80\x80", "\xF1\x80\x80x",
                             "\xF1x\x80\x80", "\xC2\xC2\x80"})
        EXPECT_FALSE(is_valid_utf8(text)) << text;
}

TEST(Utf8, TellsWhereTheFirstWrongByteStands) {
    EXPECT_EQ(find_invalid_utf8("ab\xc3\xbc"), std::string_view::npos);
    EXPECT_EQ(find_invalid_utf8("ab\xc3\xbc\xff"), 4U);
    EXPECT_EQ(find_invalid_utf8("ab\xc3"), 2U);
}

TEST(Utf8, DecodesTheFirstCharacter) {
    const auto value_of = [](std::string_view text) { return decode_utf8(text).value; };
    EXPECT_EQ(value_of("ab"), U'a');
    EXPECT_EQ(value_of("\xC3\xBC!"), U'\u00FC');
    EXPECT_EQ(value_of("\xE2\x80\xAE"), U'\u202E');
    EXPECT_EQ(value_of("\xF0\x9F\x98\x80"), U'\U0001F600');
    EXPECT_EQ(decode_utf8("\xE2\x80\xAE").length, 3U);
    EXPECT_EQ(decode_utf8("").length, 0U);
}

}  // namespace
}  // namespace device_streams
