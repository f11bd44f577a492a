#include "common/text/base64.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

TEST(Base64, EncodesTheVectorsOfRfc4648) {
    EXPECT_EQ(base64_encode(""), "");
    EXPECT_EQ(base64_encode("f"), "Zg==");
    EXPECT_EQ(base64_encode("fo"), "Zm8=");
    EXPECT_EQ(base64_encode("foo"), "Zm9v");
    EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
}

TEST(Base64, DecodesWhatItEncodes) {
    std::string all_bytes;
    for (int byte = 0; byte < 256; ++byte) {
        all_bytes += static_cast<char>(byte);
        EXPECT_EQ(base64_decode(base64_encode(all_bytes)), all_bytes);
        EXPECT_EQ(base64url_decode(base64url_encode(all_bytes)), all_bytes);
    }
}

TEST(Base64, RefusesWrongPadding) {
    for (const auto* text : {"Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zm8==", "Zg==Zg==", "Zm9v="})
        EXPECT_EQ(base64_decode(text), std::nullopt) << text;
}

TEST(Base64, RefusesForeignCharacters) {
    for (const auto* text : {"Zm 9", "Zm9\n", "Zm-_", "Zm9\xC3"}) EXPECT_EQ(base64_decode(text), std::nullopt) << text;
}

TEST(Base64, RefusesASecondSpellingOfTheSameBytes) {
    EXPECT_EQ(base64_decode("Zh=="), std::nullopt);
    EXPECT_EQ(base64_decode("Zm9="), std::nullopt);
    EXPECT_EQ(base64url_decode("Zh"), std::nullopt);
}

TEST(Base64Url, UsesTheUrlSafeAlphabetWithoutPadding) {
    EXPECT_EQ(base64url_encode("\xFB\xFF"), "-_8");
    EXPECT_EQ(base64url_decode("-_8"), "\xFB\xFF");
    EXPECT_EQ(base64url_decode("+/8"), std::nullopt);
    EXPECT_EQ(base64url_decode("-_8="), std::nullopt);
    EXPECT_EQ(base64url_decode("A"), std::nullopt);
}

}  // namespace
}  // namespace device_streams
