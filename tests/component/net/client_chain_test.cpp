#include "common/tls/client_chain.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace device_streams {
namespace {

using namespace std::string_view_literals;

std::optional<std::size_t> count(std::string_view message, bool tls13) {
    return count_certificates(std::as_bytes(std::span(message)), tls13);
}

TEST(ClientChain, CertificatesAreCountedWithoutReadingThem) {
    EXPECT_EQ(count("\x0b\0\0\x03\0\0\0"sv, false), 0U);
    EXPECT_EQ(count("\x0b\0\0\x0d\0\0\x0a\0\0\x01x\0\0\x03xyz"sv, false), 2U);
    EXPECT_EQ(count("\x0b\0\0\x04\0\0\0\0"sv, true), 0U);
    EXPECT_EQ(count("\x0b\0\0\x12\0\0\0\x0e\0\0\x01x\0\x02??\0\0\x01y\0\0"sv, true), 2U);
    EXPECT_EQ(count("\x0b\0\0\x06\x02id\0\0\0"sv, true), 0U) << "a context comes first";
}

TEST(ClientChain, AListThatDoesNotAddUpIsNone) {
    for (const bool tls13 : {false, true}) {
        EXPECT_EQ(count("", tls13), std::nullopt);
        EXPECT_EQ(count("\x0b\0\0"sv, tls13), std::nullopt);
        EXPECT_EQ(count("\x0b\0\0\0"sv, tls13), std::nullopt);
        EXPECT_EQ(count("\x0b\0\0\x08\0\0\0\x09\0\0\x01xx"sv, tls13), std::nullopt);
    }
    EXPECT_EQ(count("\x0b\0\0\x08\0\0\x04\0\0\x01x?"sv, false), std::nullopt) << "something behind the list";
    EXPECT_EQ(count("\x0b\0\0\x08\0\0\0\x04\0\0\x01x"sv, true), std::nullopt) << "no extensions";
}

}  // namespace
}  // namespace device_streams
