#include "common/base/hmac.hpp"

#include "common/base/error.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

// RFC 4231, case 2.
TEST(Hmac, IsTheOneOfTheStandard) {
    constexpr char expected[] =
        "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7"
        "\x5a\x00\x3f\x08\x9d\x27\x39\x83\x9d\xec\x58\xb9\x64\xec\x38\x43";
    EXPECT_EQ(hmac_sha256(Secret("Jefe"), "what do ya want for nothing?"), std::string(expected, 32));
}

TEST(Hmac, NeedsAKey) {
    EXPECT_THROW(hmac_sha256(Secret(), "text"), Failure);
}

TEST(EqualInConstantTime, SeesAnyDifference) {
    EXPECT_TRUE(equal_in_constant_time("", ""));
    EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
    for (const auto* other : {"", "ab", "abd", "xbc", "abcd"})
        EXPECT_FALSE(equal_in_constant_time("abc", other)) << other;
}

}  // namespace
}  // namespace device_streams
