#include "hub/http/registry_request.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

std::string read(std::string_view path) {
    const auto parsed = parse_registry_path(path);
    if (!parsed) return "malformed";
    return parsed->target.to_string() + (parsed->modules ? " modules" : "") + (parsed->is_list() ? " list" : "");
}
std::optional<std::string> etag(std::string value) {
    return wanted_etag({{"If-Match", std::move(value)}});
}

TEST(RegistryPath, NamesDevicesAndModules) {
    EXPECT_EQ(read("/devices"), " list");
    EXPECT_EQ(read("/devices/"), " list");
    EXPECT_EQ(read("/devices/pump-17"), "pump-17");
    EXPECT_EQ(read("/devices/pump-17/modules"), "pump-17 modules list");
    EXPECT_EQ(read("/devices/pump-17/modules/tunnel"), "pump-17/tunnel");
}

TEST(RegistryPath, DecodesIds) {
    EXPECT_EQ(read("/devices/a%40b+c/modules/%24m"), "a@b+c/$m");
}

TEST(RegistryPath, RefusesWhatNamesNoIdentity) {
    for (const char* path : {"/devices//", "/devices/a/", "/devices/a/modules/", "/devices/a/twin",
                             "/devices/a/modules/m/x", "/devices/a%2Fb", "/devices/a%00", "/devices/a%zz",
                             "/devices/a b", "/devices//modules/m", "/device", "/devices2", "", "/Devices/a"})
        EXPECT_EQ(read(path), "malformed") << path;
    EXPECT_EQ(read("/devices/" + std::string(129, 'a')), "malformed");
}

TEST(RegistryPath, IsToldApartFromOthers) {
    EXPECT_TRUE(is_registry_path("/devices"));
    EXPECT_TRUE(is_registry_path("/devices/a/whatever"));
    EXPECT_FALSE(is_registry_path("/devices2"));
    EXPECT_FALSE(is_registry_path("/twins/devices/"));
}

TEST(WantedEtag, IsTheBareOne) {
    EXPECT_EQ(etag("\"abc\""), "abc");
    EXPECT_EQ(etag("W/\"abc\""), "abc");
    EXPECT_EQ(etag("abc"), "abc");
}

TEST(WantedEtag, IsEmptyForAny) {
    for (const char* any : {"*", "\"*\""}) EXPECT_EQ(etag(any), "") << any;
}

TEST(WantedEtag, IsNoWildcardWhenItIsMalformed) {
    for (const char* malformed : {"", "\"\"", "\"", "W/", "*, *", "\"a\", \"b\""}) {
        const auto wanted = etag(malformed);
        ASSERT_TRUE(wanted) << malformed;
        EXPECT_NE(*wanted, "") << malformed;
    }
}

TEST(WantedEtag, IsMissingWithoutTheHeader) {
    EXPECT_EQ(wanted_etag({{"If-None-Match", "*"}}), std::nullopt);
}

TEST(WantedLength, IsAThousandAtMost) {
    EXPECT_EQ(wanted_length("/devices?api-version=x"), 1'000U);
    EXPECT_EQ(wanted_length("/devices"), 1'000U);
    EXPECT_EQ(wanted_length("/devices?top=17&x=y"), 17U);
    EXPECT_EQ(wanted_length("/devices?api-version=x&top=1000"), 1'000U);
    for (const char* beyond : {"/devices?top=0", "/devices?top=1001", "/devices?top=99999999999999999999999"})
        EXPECT_EQ(wanted_length(beyond), 1'000U) << beyond;
}

TEST(WantedLength, IsRefusedWhenItIsNoNumber) {
    for (const char* bad :
         {"/devices?top=", "/devices?top=-1", "/devices?top=1.5", "/devices?top=ten", "/devices?top=%31"})
        EXPECT_EQ(wanted_length(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace device_streams::hub
