#include "common/text/percent.hpp"

#include <gtest/gtest.h>

#include <string>

namespace device_streams {
namespace {

TEST(PercentEncode, LeavesOnlyWhatTheCSdkAcceptsRaw) {
    const std::string accepted_raw =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!()*-._";  // the C SDK's url decoder
    for (int byte = 1; byte < 256; ++byte) {
        const std::string character(1, static_cast<char>(byte));
        const bool raw = percent_encode(character) == character;
        EXPECT_TRUE(!raw || accepted_raw.find(character) != std::string::npos) << byte;
    }
}

TEST(PercentEncode, EncodesUrlsWithUpperCaseHex) {
    EXPECT_EQ(percent_encode("wss://h:443/a~b"), "wss%3A%2F%2Fh%3A443%2Fa%7Eb");
    EXPECT_EQ(percent_encode(std::string_view("\0\x7f\xff", 3)), "%00%7F%FF");
}

TEST(PercentEncode, LeavesWhatTheCallerCallsSafe) {
    EXPECT_EQ(percent_encode("a,b/c", ","), "a,b%2Fc");
}

TEST(PercentDecode, TakesEitherCase) {
    EXPECT_EQ(percent_decode("%2f%2F%c3%A9"), "//\xC3\xA9");
}

TEST(PercentDecode, KeepsPlusSigns) {
    EXPECT_EQ(percent_decode("a+b"), "a+b");
}

TEST(PercentDecode, RefusesTruncatedAndForeignEscapes) {
    for (const auto* text : {"%", "%4", "a%4", "%4g", "%g4", "%%41", "% 4", "%+4", "%-1"})
        EXPECT_EQ(percent_decode(text), std::nullopt) << text;
}

TEST(PercentDecode, DoesNotLookBehindTheEndOfItsText) {
    EXPECT_EQ(percent_decode(std::string_view("%41").substr(0, 2)), std::nullopt);
    EXPECT_EQ(percent_decode(std::string_view("%41").substr(0, 1)), std::nullopt);
}

TEST(PercentDecode, UndoesEncoding) {
    std::string all_bytes;
    for (int byte = 0; byte < 256; ++byte) all_bytes += static_cast<char>(byte);
    EXPECT_EQ(percent_decode(percent_encode(all_bytes)), all_bytes);
}

}  // namespace
}  // namespace device_streams
