#include "common/tls/tls_traffic_keys.hpp"

#include "tests/unit/tls/record_sealer.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using test::from_hex;

// RFC 8448 section 3.
const auto client_secret = from_hex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5");

TEST(TrafficKeys, AreDerivedAsInTheTraceOfRfc8448) {
    TrafficKeys keys(AeadSuite::aes_128_gcm, client_secret, 0);
    EXPECT_TRUE(std::ranges::equal(keys.key(), from_hex("17422dda596ed5d9acd890e3c63f5051")));
    const auto nonce = keys.next_nonce();
    EXPECT_TRUE(std::ranges::equal(nonce, from_hex("5b78923dee08579033e523d9")));
}

TEST(TrafficKeys, TheNonceIsTheIvWithTheRecordsNumber) {
    TrafficKeys keys(AeadSuite::aes_128_gcm, client_secret, 0x0102);
    EXPECT_TRUE(std::ranges::equal(keys.next_nonce(), from_hex("5b78923dee08579033e522db")));
    EXPECT_TRUE(std::ranges::equal(keys.next_nonce(), from_hex("5b78923dee08579033e522da")));
    EXPECT_EQ(keys.sequence(), 0x0104u);
}

TEST(TrafficKeys, ARecordNumberIsNeverUsedTwice) {
    TrafficKeys keys(AeadSuite::aes_128_gcm, client_secret, ~std::uint64_t{0} - 1);
    keys.next_nonce();
    EXPECT_THROW(keys.next_nonce(), std::runtime_error);
    EXPECT_THROW(keys.next_nonce(), std::runtime_error);
}

TEST(TrafficKeys, AreWipedWhereTheyWereMovedFrom) {
    TrafficKeys keys(AeadSuite::aes_128_gcm, client_secret, 5);
    TrafficKeys moved(std::move(keys));
    EXPECT_EQ(moved.sequence(), 5u);
    EXPECT_THROW(keys.next_nonce(), std::runtime_error);
    EXPECT_TRUE(std::ranges::all_of(keys.key(), [](auto byte) { return byte == std::byte{0}; }));
    keys = std::move(moved);
    EXPECT_EQ(keys.sequence(), 5u);
    EXPECT_THROW(moved.next_nonce(), std::runtime_error);
}

TEST(TrafficKeys, OfTheNextGenerationAreOthersAndCountFromZero) {
    for (const auto suite : {AeadSuite::aes_128_gcm, AeadSuite::aes_256_gcm, AeadSuite::chacha20_poly1305}) {
        auto keys = test::test_keys(suite, 9);
        const test::Bytes before(keys.key().begin(), keys.key().end());
        keys.update();
        EXPECT_EQ(keys.sequence(), 0u);
        EXPECT_FALSE(std::ranges::equal(keys.key(), before));
    }
}

TEST(TrafficKeys, ASecretOfAnotherLengthIsRefused) {
    EXPECT_THROW(TrafficKeys(AeadSuite::aes_256_gcm, client_secret, 0), std::runtime_error);
}

}  // namespace
}  // namespace device_streams
