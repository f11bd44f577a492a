#include "common/text/utf8.hpp"

#include <gtest/gtest.h>

#include <string>

namespace device_streams::iothub {
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

}  // namespace
}  // namespace device_streams::iothub
