#include "common/async/block_on.hpp"
#include "common/base/error.hpp"
#include "hub/registry/sqlite_registry.hpp"
#include "tests/support/manual_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace device_streams::hub::registry_versions_test {
namespace {

using iothub::Target;
using ::testing::ElementsAre;

const Target pump{"pump-17", {}};
const Target tunnel{"pump-17", "tunnel"};

class RegistryVersionsTest : public ::testing::Test {
 protected:
    RegistryVersionsTest() {
        clock.set_wall(1'767'607'230);
        block_on(registry.add(pump, make_key_pair()));
    }
    Identity now(const Target& target = pump) { return block_on(registry.find(target)).value(); }
    IdentityDescription description(std::optional<bool> enabled, std::string reason = "") {
        return {make_key_pair(), enabled, std::move(reason)};
    }

    test::ManualClock clock;
    std::vector<std::string> revoked;
    SqliteRegistry registry{SqliteRegistry::in_memory, SqliteRegistry::Mode::create_new, clock,
                            [this](const Revocation& told) {
                                revoked.push_back(told.target->to_string() + (told.of_identity() ? "" : " partly"));
                            }};
};

TEST_F(RegistryVersionsTest, CreatesWithStatusAndReason) {
    const Target other{"pump-18", {}};
    const auto created = block_on(registry.create(other, description(false, "not paid")));
    EXPECT_FALSE(created.enabled);
    EXPECT_EQ(created.status_reason, "not paid");
    EXPECT_EQ(created.status_changed, "");
    EXPECT_NE(created.etag, "");
    EXPECT_EQ(now(other).etag, created.etag);
    EXPECT_NE(created.generation, now().generation);
}

TEST_F(RegistryVersionsTest, GivesAnotherEtagWithEveryChange) {
    std::set<std::string> etags{now().etag};
    block_on(registry.set_enabled(pump, false));
    etags.insert(now().etag);
    etags.insert(block_on(registry.renew_key(pump, WhichKey::primary)).etag);
    etags.insert(block_on(registry.set_authentication(pump, CertificateAuthority{})).etag);
    etags.insert(block_on(registry.replace(pump, description(true), "")).etag);
    EXPECT_EQ(etags.size(), 5U);
    EXPECT_TRUE(etags.contains(now().etag));
}

TEST_F(RegistryVersionsTest, KeepsTheGenerationUntilTheIdentityIsMadeAnew) {
    const auto first = now().generation;
    block_on(registry.replace(pump, description(true), ""));
    EXPECT_EQ(now().generation, first);
    block_on(registry.remove(pump));
    block_on(registry.add(pump, make_key_pair()));
    EXPECT_NE(now().generation, first);
}

TEST_F(RegistryVersionsTest, ReplacesThePresentVersionOnly) {
    const auto old = now().etag;
    block_on(registry.replace(pump, description(true), old));
    EXPECT_THROW(block_on(registry.replace(pump, description(false), old)), VersionMismatch);
    EXPECT_TRUE(now().enabled);
    EXPECT_THROW(block_on(registry.remove_version(pump, old)), VersionMismatch);
    block_on(registry.remove_version(pump, now().etag));
    EXPECT_FALSE(block_on(registry.find(pump)));
}

TEST_F(RegistryVersionsTest, ReplacesNoStranger) {
    const Target stranger{"pump-99", {}};
    EXPECT_THROW(block_on(registry.replace(stranger, description(true), "")), Failure);
    EXPECT_FALSE(block_on(registry.find(stranger)));
    EXPECT_THAT(revoked, ElementsAre());
}

TEST_F(RegistryVersionsTest, ReplacesStatusAndCredentialsTogether) {
    const auto wanted = description(false, "stolen");
    const auto changed = block_on(registry.replace(pump, wanted, ""));
    EXPECT_FALSE(changed.enabled);
    EXPECT_EQ(changed.authentication, wanted.authentication);
    EXPECT_EQ(changed.status_reason, "stolen");
    EXPECT_EQ(changed.status_changed, "2026-01-05T10:00:30Z");
    EXPECT_EQ(now().etag, changed.etag);
}

TEST_F(RegistryVersionsTest, NotesWhenTheStatusChangedNotWhenItStayed) {
    block_on(registry.replace(pump, description(false), ""));
    clock.set_wall(1'767'607'260);
    block_on(registry.replace(pump, description(false, "still"), ""));
    EXPECT_EQ(now().status_changed, "2026-01-05T10:00:30Z");
    block_on(registry.set_enabled(pump, true));
    EXPECT_EQ(now().status_changed, "2026-01-05T10:01:00Z");
    EXPECT_EQ(now().status_reason, "");
}

TEST_F(RegistryVersionsTest, LeavesAStatusOfWhichNothingIsSaid) {
    block_on(registry.add(tunnel, make_key_pair()));
    block_on(registry.set_enabled(tunnel, false));
    block_on(registry.replace(tunnel, description(std::nullopt), ""));
    EXPECT_FALSE(now(tunnel).enabled);
}

TEST_F(RegistryVersionsTest, TellsWhoseLoginsCountNoLonger) {
    block_on(registry.replace(pump, description(true), ""));
    block_on(registry.replace(pump, description(false), ""));
    EXPECT_THAT(revoked, ElementsAre("pump-17 partly", "pump-17"));
}

TEST_F(RegistryVersionsTest, ListsTheFirstDevicesWithoutTheirModules) {
    block_on(registry.add(tunnel, make_key_pair()));
    for (const char* id : {"a", "z"}) block_on(registry.add({id, {}}, make_key_pair()));
    std::vector<std::string> names;
    for (const auto& identity : block_on(registry.list_devices(2))) names.push_back(identity.target.to_string());
    EXPECT_THAT(names, ElementsAre("a", "pump-17"));
    EXPECT_EQ(block_on(registry.list_devices(1'000)).size(), 3U);
}

TEST_F(RegistryVersionsTest, ListsTheModulesOfADevice) {
    EXPECT_TRUE(block_on(registry.list_modules("pump-17")).empty());
    block_on(registry.add(tunnel, make_key_pair()));
    const auto modules = block_on(registry.list_modules("pump-17"));
    ASSERT_EQ(modules.size(), 1U);
    EXPECT_EQ(modules[0].target, tunnel);
    EXPECT_THROW(block_on(registry.list_modules("pump-99")), Failure);
}

}  // namespace
}  // namespace device_streams::hub::registry_versions_test
