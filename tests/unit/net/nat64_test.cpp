#include "common/net/nat64.hpp"

#include <gtest/gtest.h>

#include <string>

namespace device_streams {
namespace {

using asio::ip::address_v6;
using asio::ip::make_address_v4;
using asio::ip::make_address_v6;

Nat64Prefix prefix(const std::string& address, unsigned length) {
    return {.bytes = make_address_v6(address).to_bytes(), .length = length};
}

struct Row {
    unsigned length;
    const char* prefix;
    const char* made;   ///< of 192.0.2.33
    const char* known;  ///< of 192.0.0.170
};
// RFC 6052 section 2.4.
constexpr Row vectors[] = {
    {32, "2001:db8::", "2001:db8:c000:221::", "2001:db8:c000:aa::"},
    {40, "2001:db8:100::", "2001:db8:1c0:2:21::", "2001:db8:1c0:0:aa::"},
    {48, "2001:db8:122::", "2001:db8:122:c000:2:2100::", "2001:db8:122:c000:0:aa00::"},
    {56, "2001:db8:122:300::", "2001:db8:122:3c0:0:221::", "2001:db8:122:3c0:0:aa::"},
    {64, "2001:db8:122:344::", "2001:db8:122:344:c0:2:2100::", "2001:db8:122:344:c0:0:aa00::"},
    {96, "2001:db8:122:344::", "2001:db8:122:344::192.0.2.33", "2001:db8:122:344::192.0.0.170"},
    {96, "64:ff9b::", "64:ff9b::192.0.2.33", "64:ff9b::192.0.0.170"},
};

TEST(Nat64, AddressesStandWhereTheStandardPutsThem) {
    for (const auto& row : vectors)
        EXPECT_EQ(embed(prefix(row.prefix, row.length), make_address_v4("192.0.2.33")), make_address_v6(row.made))
            << row.prefix << "/" << row.length;
}

TEST(Nat64, PrefixesOfAllLengthsAreFound) {
    for (const auto& row : vectors) {
        const std::vector found{make_address_v6(row.known)};
        EXPECT_EQ(nat64_prefixes(found), std::vector{prefix(row.prefix, row.length)}) << row.known;
    }
}

TEST(Nat64, BothKnownAddressesTellOfOnePrefix) {
    const std::vector found{make_address_v6("64:ff9b::192.0.0.171"), make_address_v6("2001:db8:1::192.0.0.170"),
                            make_address_v6("64:ff9b::192.0.0.170")};
    EXPECT_EQ(nat64_prefixes(found), (std::vector{prefix("64:ff9b::", 96), prefix("2001:db8:1::", 96)}));
}

TEST(Nat64, OtherAddressesTellOfNone) {
    for (const auto* text : {"2001:db8::1", "::", "64:ff9b::192.0.0.172", "64:ff9b::192.0.2.33",
                             "2001:db8:122:c000:100:aa00::", "64:ff9b::100:0:192.0.0.170"})
        EXPECT_TRUE(nat64_prefixes(std::vector{make_address_v6(text)}).empty()) << text;
    EXPECT_TRUE(nat64_prefixes({}).empty());
}

// RFC 7050 section 3: the other address then tells which.
TEST(Nat64, AnAddressThatFitsTwiceTellsOfNone) {
    const auto twice = make_address_v6("2001:db8:c000:aa::192.0.0.170");
    EXPECT_TRUE(nat64_prefixes(std::vector{twice}).empty());
}

// RFC 6052 section 3.1; a network's own prefix may be for any address.
TEST(Nat64, TheWellKnownPrefixIsForGlobalAddressesOnly) {
    const auto well_known = prefix("64:ff9b::", 96);
    for (const auto* text : {"0.0.0.1", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.1.1", "172.31.255.255",
                             "192.0.0.170", "192.168.1.10", "198.19.0.1", "224.0.0.1", "255.255.255.255"}) {
        EXPECT_EQ(embed(well_known, make_address_v4(text)), std::nullopt) << text;
        EXPECT_NE(embed(prefix("64:ff9b:1::", 96), make_address_v4(text)), std::nullopt) << text;
    }
    for (const auto* text : {"1.1.1.1", "172.32.0.1", "192.0.2.7", "223.255.255.255"})
        EXPECT_EQ(embed(well_known, make_address_v4(text)), make_address_v6(std::string("64:ff9b::") + text));
}

}  // namespace
}  // namespace device_streams
