#include "common/app/disk_reserve.hpp"
#include "common/async/block_on.hpp"
#include "common/base/error.hpp"
#include "hub/registry/registry_store.hpp"
#include "hub/registry/sqlite.hpp"
#include "hub/registry/sqlite_registry.hpp"
#include "tests/support/manual_clock.hpp"

#include <asio/post.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace device_streams::hub {
namespace {

using iothub::Target;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RegistryTest : public ::testing::Test {
 protected:
    template <typename Call>
    void expect_failure(Errc expected, Call call) {
        try {
            call();
            FAIL() << "no failure";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.errc(), expected) << failure.what();
        }
    }
    void add(const Target& target) { block_on(registry.add(target, make_key_pair())); }
    std::vector<std::string> names() {
        std::vector<std::string> all;
        for (const auto& identity : block_on(registry.list())) all.push_back(identity.target.to_string());
        return all;
    }

    std::vector<std::string> revoked_names() const {
        std::vector<std::string> all;
        for (const auto& revocation : revoked) all.push_back(revocation.target->to_string());
        return all;
    }

    test::ManualClock clock;
    std::vector<Revocation> revoked;
    SqliteRegistry registry{SqliteRegistry::in_memory, SqliteRegistry::Mode::create_new, clock,
                            [this](const Revocation& told) { revoked.push_back(told); }};
};

TEST_F(RegistryTest, FindsADeviceAsItWasAdded) {
    clock.set_wall(1'767'607'230);
    block_on(registry.add({"pump-17", ""}, KeyPair{Secret("cHJpbWFyeQ=="), Secret("c2Vjb25kYXJ5")}));
    const auto found = block_on(registry.find({"pump-17", ""}));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->target, (Target{"pump-17", ""}));
    EXPECT_TRUE(found->enabled);
    ASSERT_TRUE(found->keys());
    EXPECT_EQ(found->keys()->primary.reveal(), "cHJpbWFyeQ==");
    EXPECT_EQ(found->keys()->secondary.reveal(), "c2Vjb25kYXJ5");
    EXPECT_EQ(found->created, "2026-01-05T10:00:30Z");
}

TEST_F(RegistryTest, FindsNothingForAStranger) {
    EXPECT_FALSE(block_on(registry.find({"pump-17", ""})));
}

TEST_F(RegistryTest, TellsIdsApartByCase) {
    add({"Pump", ""});
    EXPECT_FALSE(block_on(registry.find({"pump", ""})));
}

TEST_F(RegistryTest, FindsWhatIsSpeltAlike) {
    for (const auto* id : {"Pump", "PUMP", "pump-1"}) add({id, ""});
    add({"Pump", "Tunnel"});
    EXPECT_EQ(block_on(registry.find_spelt_alike({"pump", ""})), (std::vector<Target>{{"PUMP", ""}, {"Pump", ""}}));
    EXPECT_EQ(block_on(registry.find_spelt_alike({"PUMP", "tunnel"})), (std::vector<Target>{{"Pump", "Tunnel"}}));
    EXPECT_TRUE(block_on(registry.find_spelt_alike({"p%", ""})).empty()) << "no pattern";
}

TEST_F(RegistryTest, KeepsIdsWithEveryAllowedCharacter) {
    const Target odd{"a-:.+%_#*?!(),=@;$'Z9", "m;'--"};
    add({odd.device_id, ""});
    add(odd);
    EXPECT_TRUE(block_on(registry.find(odd)));
}

TEST_F(RegistryTest, RefusesIdsThatNoClientCouldUse) {
    expect_failure(Errc::usage, [&] { add({"", ""}); });
    expect_failure(Errc::usage, [&] { add({"a/b", ""}); });
    expect_failure(Errc::usage, [&] { add({std::string(129, 'a'), ""}); });
    add({"a", ""});
    expect_failure(Errc::usage, [&] { add({"a", "m n"}); });
    EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_F(RegistryTest, RefusesADeviceThatExists) {
    add({"pump-17", ""});
    expect_failure(Errc::already_exists, [&] { add({"pump-17", ""}); });
}

TEST_F(RegistryTest, AddsModulesOnlyToDevicesThatExist) {
    expect_failure(Errc::not_found, [&] { add({"pump-17", "tunnel"}); });
    add({"pump-17", ""});
    add({"pump-17", "tunnel"});
    EXPECT_THAT(names(), ElementsAre("pump-17", "pump-17/tunnel"));
}

TEST_F(RegistryTest, ListsInOrderOfIdWithModulesBehindTheirDevice) {
    for (const char* id : {"b", "a", "c"}) add({id, ""});
    add({"a", "y"});
    add({"a", "x"});
    EXPECT_THAT(names(), ElementsAre("a", "a/x", "a/y", "b", "c"));
}

TEST_F(RegistryTest, RemovingADeviceRemovesItsModulesAndTellsOfEach) {
    for (const Target& target : {Target{"a", ""}, Target{"a", "m"}, Target{"ab", ""}, Target{"ab", "m"}}) add(target);
    block_on(registry.remove({"a", ""}));
    EXPECT_THAT(names(), ElementsAre("ab", "ab/m"));
    EXPECT_THAT(revoked_names(), ElementsAre("a", "a/m"));
}

TEST_F(RegistryTest, RemovingAModuleLeavesItsDevice) {
    add({"a", ""});
    add({"a", "m"});
    block_on(registry.remove({"a", "m"}));
    EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_F(RegistryTest, RemovingAStrangerFailsAndTellsNobody) {
    expect_failure(Errc::not_found, [&] { block_on(registry.remove({"a", ""})); });
    EXPECT_TRUE(revoked.empty());
}

TEST_F(RegistryTest, DisablingADeviceDisablesItsModulesAndTellsOfEach) {
    add({"a", ""});
    add({"a", "m"});
    block_on(registry.set_enabled({"a", ""}, false));
    EXPECT_FALSE(block_on(registry.find({"a", ""}))->enabled);
    EXPECT_FALSE(block_on(registry.find({"a", "m"}))->enabled);
    EXPECT_THAT(revoked_names(), ElementsAre("a", "a/m"));
}

TEST_F(RegistryTest, EnablingADeviceAgainTellsNobody) {
    add({"a", ""});
    block_on(registry.set_enabled({"a", ""}, false));
    revoked.clear();
    block_on(registry.set_enabled({"a", ""}, true));
    EXPECT_TRUE(revoked.empty());
    EXPECT_TRUE(block_on(registry.find({"a", ""}))->enabled);
}

TEST_F(RegistryTest, RenewsOneKeyAndKeepsTheOther) {
    const auto before = block_on(registry.add({"a", ""}, make_key_pair()));
    const auto after = block_on(registry.renew_key({"a", ""}, WhichKey::secondary));
    EXPECT_TRUE(after.keys()->primary == before.keys()->primary);
    EXPECT_FALSE(after.keys()->secondary == before.keys()->secondary);
    EXPECT_TRUE(block_on(registry.find({"a", ""}))->keys()->secondary == after.keys()->secondary);
}

TEST_F(RegistryTest, KeepsThumbprintsInOneSpelling) {
    const std::string sha1 = "0123456789ABCDEF0123456789ABCDEF01234567";
    const std::string sha256(64, 'A');
    const Thumbprints given{"01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67", std::string(64, 'a')};
    const auto added = block_on(registry.add({"a", ""}, given));
    EXPECT_EQ(std::get<Thumbprints>(added.authentication), (Thumbprints{sha1, sha256}));
    EXPECT_EQ(block_on(registry.find({"a", ""}))->authentication, added.authentication);
}

TEST_F(RegistryTest, RefusesWhatIsNoThumbprint) {
    add({"a", ""});
    for (const auto& bad : {std::string(), std::string(39, 'a'), std::string(64, 'g'), std::string(80, 'a')})
        expect_failure(Errc::usage, [&] { block_on(registry.set_authentication({"a", ""}, Thumbprints{bad, ""})); });
    expect_failure(Errc::usage, [&] { block_on(registry.add({"b", ""}, Thumbprints{std::string(40, 'a'), "x"})); });
    EXPECT_TRUE(block_on(registry.find({"a", ""}))->keys());
    EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_F(RegistryTest, ReplacesWhatAnIdentityLogsInWith) {
    add({"a", ""});
    add({"a", "m"});
    EXPECT_EQ(block_on(registry.set_authentication({"a", "m"}, CertificateAuthority{})).authentication,
              Authentication(CertificateAuthority{}));
    EXPECT_EQ(block_on(registry.find({"a", "m"}))->authentication, Authentication(CertificateAuthority{}));
    EXPECT_TRUE(block_on(registry.find({"a", ""}))->keys());
    const auto keys = make_key_pair();
    block_on(registry.set_authentication({"a", "m"}, keys));
    EXPECT_EQ(block_on(registry.find({"a", "m"}))->authentication, Authentication(keys));
    expect_failure(Errc::not_found, [&] { block_on(registry.set_authentication({"b", ""}, keys)); });
}

TEST_F(RegistryTest, RenewsNoKeyOfAnIdentityWithCertificates) {
    block_on(registry.add({"a", ""}, CertificateAuthority{}));
    expect_failure(Errc::usage, [&] { block_on(registry.renew_key({"a", ""}, WhichKey::primary)); });
}

TEST_F(RegistryTest, FindsAPolicyAsItWasAdded) {
    const Permissions permissions{.registry_read = true, .service_connect = true};
    block_on(registry.add_policy("service", permissions, {Secret("YQ=="), Secret("Yg==")}));
    const auto found = block_on(registry.find_policy("service"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "service");
    EXPECT_EQ(found->permissions, permissions);
    EXPECT_EQ(found->keys.primary.reveal(), "YQ==");
    EXPECT_EQ(found->keys.secondary.reveal(), "Yg==");
}

TEST_F(RegistryTest, ReadsNoRulesForWhoHasProvedNothing) {
    block_on(registry.add_policy("service", {}, make_key_pair(), {AllowRule()}));
    EXPECT_EQ(block_on(registry.find_policy("service"))->rules.size(), 1U);
    EXPECT_TRUE(block_on(registry.find_policy_keys("service"))->rules.empty());
    EXPECT_FALSE(block_on(registry.find_policy_keys("other")));
    EXPECT_TRUE(block_on(registry.find_both("service", {"a", ""})).policy->rules.empty());
}

TEST_F(RegistryTest, KnowsWhetherCertificatesAreUsed) {
    add({"a", ""});
    EXPECT_FALSE(registry.has_certificate_users());
    block_on(registry.add({"b", ""}, CertificateAuthority{}));
    EXPECT_TRUE(registry.has_certificate_users());
    block_on(registry.remove({"b", ""}));
    EXPECT_FALSE(registry.has_certificate_users());
    block_on(registry.set_authentication({"a", ""}, Thumbprints{std::string(64, 'A'), {}}));
    EXPECT_TRUE(registry.has_certificate_users());
}

TEST_F(RegistryTest, FindsAPolicyAndAnIdentityWhetherOrNotTheOtherIsThere) {
    block_on(registry.add({"a", ""}, CertificateAuthority{}));
    block_on(registry.add_policy("service", {}, make_key_pair()));
    for (const auto* policy : {"service", "other", ""})
        for (const auto* device : {"a", "b"}) {
            const auto found = block_on(registry.find_both(policy, {device, ""}));
            EXPECT_EQ(found.policy.has_value(), std::string(policy) == "service") << policy << " " << device;
            EXPECT_EQ(found.identity.has_value(), std::string(device) == "a") << policy << " " << device;
        }
}

TEST_F(RegistryTest, RefusesPoliciesThatExistOrHaveOddNames) {
    block_on(registry.add_policy("service", {}, make_key_pair()));
    expect_failure(Errc::already_exists, [&] { block_on(registry.add_policy("service", {}, make_key_pair())); });
    expect_failure(Errc::usage, [&] { block_on(registry.add_policy("a b", {}, make_key_pair())); });
    expect_failure(Errc::usage, [&] { block_on(registry.add_policy("", {}, make_key_pair())); });
}

TEST_F(RegistryTest, RemovesPolicies) {
    block_on(registry.add_policy("a", {}, make_key_pair()));
    block_on(registry.add_policy("b", {}, make_key_pair()));
    block_on(registry.remove_policy("a"));
    EXPECT_FALSE(block_on(registry.find_policy("a")));
    EXPECT_EQ(block_on(registry.list_policies()).size(), 1u);
    expect_failure(Errc::not_found, [&] { block_on(registry.remove_policy("a")); });
}

TEST_F(RegistryTest, RenewsAPolicysKey) {
    const auto before = block_on(registry.add_policy("a", {}, make_key_pair()));
    const auto after = block_on(registry.renew_policy_key("a", WhichKey::primary));
    EXPECT_FALSE(after.keys.primary == before.keys.primary);
    EXPECT_TRUE(after.keys.secondary == before.keys.secondary);
    expect_failure(Errc::not_found, [&] { block_on(registry.renew_policy_key("b", WhichKey::primary)); });
}

class RegistryRulesTest : public RegistryTest {
 protected:
    RegistryRulesTest() {
        block_on(registry.add_policy("ops", {.service_connect = true}, make_key_pair(), {parse_allow_rule("a ssh")}));
    }
    Policy allow(std::string_view rule) { return block_on(registry.allow("ops", parse_allow_rule(rule))); }
    std::vector<std::string> rules(const std::string& policy = "ops") {
        std::vector<std::string> texts;
        const auto found = block_on(registry.find_policy(policy));
        for (const auto& [number, rule] : found->rules) texts.push_back(std::to_string(number) + " " + to_string(rule));
        return texts;
    }
};

TEST_F(RegistryRulesTest, KeepsRulesUnderTheirNumbers) {
    allow("b  rdp,ssh");
    allow("c * mon-fri UTC");
    block_on(registry.disallow("ops", "2"));
    EXPECT_THAT(rules(), ElementsAre("1 a ssh", "3 c * mon-fri UTC"));
    EXPECT_EQ(allow("d *").rules.back().number, 4);
    EXPECT_EQ(block_on(registry.list_policies()).at(0).rules.size(), 3u);
}

TEST_F(RegistryRulesTest, TakesARuleAwayByItsTextInAnyWriting) {
    allow("b rdp,ssh UTC+00:00");
    block_on(registry.disallow("ops", "b  ssh,rdp utc"));
    EXPECT_THAT(rules(), ElementsAre("1 a ssh"));
}

TEST_F(RegistryRulesTest, TellsWhatIsTakenAway) {
    allow("b *");
    EXPECT_TRUE(revoked.empty());
    block_on(registry.disallow("ops", "1"));
    ASSERT_EQ(revoked.size(), 1u);
    EXPECT_EQ(revoked[0].policy->now->rules.size(), 1u);
    const auto before = block_on(registry.find_policy("ops"))->keys;
    block_on(registry.renew_policy_key("ops", WhichKey::secondary));
    ASSERT_EQ(revoked.size(), 2u);
    EXPECT_EQ(revoked[1].policy->on_lost,
              std::vector<Credential>{credential_of(Credential::Kind::policy_key, before.secondary)});
    block_on(registry.remove_policy("ops"));
    ASSERT_EQ(revoked.size(), 3u);
    EXPECT_FALSE(revoked[2].policy->now);
    EXPECT_EQ(revoked[2].policy->on_lost.size(), 2u);
}

TEST_F(RegistryRulesTest, RefusesWhatIsThereAndWhatIsNot) {
    expect_failure(Errc::already_exists, [&] { allow("a  ssh"); });
    expect_failure(Errc::not_found, [&] { block_on(registry.disallow("ops", "7")); });
    expect_failure(Errc::not_found, [&] { block_on(registry.disallow("ops", "z ssh")); });
    expect_failure(Errc::usage, [&] { block_on(registry.disallow("ops", "nonsense")); });
    expect_failure(Errc::not_found, [&] { block_on(registry.disallow("nobody", "1")); });
    expect_failure(Errc::not_found, [&] { block_on(registry.allow("nobody", AllowRule())); });
    EXPECT_TRUE(revoked.empty());
}

TEST_F(RegistryRulesTest, APolicyTakesItsRulesAlong) {
    block_on(registry.remove_policy("ops"));
    block_on(registry.add_policy("ops", {}, make_key_pair()));
    EXPECT_TRUE(rules().empty());
}

TEST_F(RegistryRulesTest, HasAnEndToRules) {
    for (int i = 1; i < 1000; ++i) allow("device-" + std::to_string(i) + " *");
    expect_failure(Errc::usage, [&] { allow("one-more *"); });
}

TEST_F(RegistryTest, MakesKeysOf32RandomBytes) {
    const auto keys = make_key_pair();
    EXPECT_EQ(keys.primary.reveal().size(), 44u);
    EXPECT_FALSE(keys.primary == keys.secondary);
}

asio::awaitable<std::pair<std::thread::id, std::thread::id>> threads_around_a_call(Registry& registry) {
    const auto before = std::this_thread::get_id();
    const Target stranger{"a", ""};
    co_await registry.find(stranger);
    const auto after = std::this_thread::get_id();
    co_return std::pair(before, after);
}

TEST_F(RegistryTest, ReturnsToTheCallersThread) {
    const auto [before, after] = block_on(threads_around_a_call(registry));
    EXPECT_EQ(before, after);
}

class RegistryFileTest : public RegistryTest {
 protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "registry-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        directory = pattern;
        file = directory / "registry.db";
    }
    void TearDown() override { std::filesystem::remove_all(directory); }
    void execute(const std::string& sql) {
        sqlite3* handle = nullptr;
        ASSERT_EQ(sqlite3_open(file.c_str(), &handle), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(handle);
    }
    void make() { SqliteRegistry made(file, SqliteRegistry::Mode::create_new, clock); }
    void open() { SqliteRegistry opened(file, SqliteRegistry::Mode::open_existing, clock); }

    std::filesystem::path directory;
    std::filesystem::path file;
};

TEST_F(RegistryFileTest, RemembersAfterARestart) {
    {
        SqliteRegistry first(file, SqliteRegistry::Mode::create_new, clock);
        block_on(first.add({"a", ""}, make_key_pair()));
    }
    SqliteRegistry second(file, SqliteRegistry::Mode::open_existing, clock);
    EXPECT_TRUE(block_on(second.find({"a", ""})));
}

TEST_F(RegistryFileTest, IsReadableForItsOwnerOnly) {
    SqliteRegistry registry_on_disk(file, SqliteRegistry::Mode::create_new, clock);
    block_on(registry_on_disk.add({"a", ""}, make_key_pair()));
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        const auto others =
            entry.status().permissions() & (std::filesystem::perms::group_all | std::filesystem::perms::others_all);
        EXPECT_EQ(others, std::filesystem::perms::none) << entry.path();
    }
}

TEST_F(RegistryFileTest, DoesNotOverwriteARegistry) {
    make();
    expect_failure(Errc::already_exists, [&] { make(); });
}

TEST_F(RegistryFileTest, DoesNotInventAMissingRegistry) {
    expect_failure(Errc::state_unusable, [&] { open(); });
    EXPECT_TRUE(std::filesystem::is_empty(directory));
}

TEST_F(RegistryFileTest, DoesNotTakeAnEmptyFileForANewRegistry) {
    std::ofstream(file).close();
    expect_failure(Errc::state_unusable, [&] { open(); });
    EXPECT_EQ(std::filesystem::file_size(file), 0U) << "and leaves it to be looked at";
}

TEST_F(RegistryFileTest, AnUnreadableRuleAllowsNothingAndHidesNothing) {
    SqliteRegistry on_disk(file, SqliteRegistry::Mode::create_new, clock);
    for (const auto* name : {"a", "b"}) block_on(on_disk.add_policy(name, {}, make_key_pair(), {AllowRule()}));
    execute("INSERT INTO policy_rule VALUES ('a', 7, 'no rule at all')");
    const auto policies = block_on(on_disk.list_policies());
    ASSERT_EQ(policies.size(), 2U);
    EXPECT_EQ(policies[0].rules.size(), 1U);
    ASSERT_EQ(policies[0].unreadable.size(), 1U);
    EXPECT_EQ(policies[0].unreadable[0].number, 7);
    EXPECT_EQ(policies[0].unreadable[0].text, "no rule at all");
    EXPECT_TRUE(policies[1].unreadable.empty());
    const auto more = block_on(on_disk.allow("a", parse_allow_rule("pump-17 ssh")));
    EXPECT_EQ(more.rules.back().number, 8);
    EXPECT_TRUE(block_on(on_disk.disallow("a", "7")).unreadable.empty());
    EXPECT_TRUE(block_on(on_disk.find_policy("a"))->unreadable.empty());
}

TEST_F(RegistryFileTest, KeepsRoomForRevocations) {
    make();
    const auto reserve = file.string() + ".reserve";
    EXPECT_EQ(std::filesystem::file_size(reserve), DiskReserve::whole);
    std::filesystem::resize_file(reserve, DiskReserve::piece);
    SqliteRegistry again(file, SqliteRegistry::Mode::open_existing, clock);
    EXPECT_EQ(std::filesystem::file_size(reserve), DiskReserve::whole);
}

TEST_F(RegistryFileTest, RefusesGarbage) {
    std::ofstream(file) << std::string(4096, 'x');
    expect_failure(Errc::state_unusable, [&] { open(); });
}

TEST_F(RegistryFileTest, RefusesAForeignDatabase) {
    execute("CREATE TABLE guest (name TEXT)");
    expect_failure(Errc::state_unusable, [&] { open(); });
}

TEST_F(RegistryFileTest, RefusesARegistryOfAnotherVersion) {
    make();
    for (const auto& [version, word] : {std::pair(99, "a newer version"), std::pair(1, "an older version")}) {
        execute("PRAGMA user_version = " + std::to_string(version));
        try {
            open();
            FAIL() << "opened";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.errc(), Errc::state_unusable);
            EXPECT_THAT(failure.detail(), HasSubstr(word));
        }
    }
}

TEST_F(RegistryFileTest, LeavesNoKeyBehindWhenADeviceIsRemoved) {
    const std::string key = "a2V5LXRoYXQtbXVzdC12YW5pc2g=";
    {
        SqliteRegistry registry_on_disk(file, SqliteRegistry::Mode::create_new, clock);
        block_on(registry_on_disk.add({"a", ""}, KeyPair{Secret(key), Secret(key)}));
        block_on(registry_on_disk.remove({"a", ""}));
    }
    std::ifstream in(file, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(in), {});
    EXPECT_EQ(bytes.find(key), std::string::npos);
}

TEST_F(RegistryFileTest, FindsWhatIsSpeltAlikeWithoutAScan) {
    make();
    Database database(file);
    auto plan = database.query(std::string("EXPLAIN QUERY PLAN ") + RegistryStore::spelt_alike);
    ASSERT_TRUE(plan.step());
    EXPECT_THAT(plan.text(3), HasSubstr("SEARCH identity USING COVERING INDEX identity_spelling"));
}

TEST_F(RegistryFileTest, GivesUpWhileAnotherProgramWrites) {
    SqliteRegistry registry_on_disk(file, SqliteRegistry::Mode::create_new, clock);
    Database other(file);
    other.execute("BEGIN IMMEDIATE");
    try {
        block_on(registry_on_disk.add({"a", ""}, make_key_pair()));
        FAIL() << "written";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::state_unusable);
        EXPECT_THAT(failure.detail(), HasSubstr("another program is writing to it"));
    }
}

TEST_F(RegistryFileTest, ReportsAStoreThatFailsUnderWay) {
    SqliteRegistry registry_on_disk(file, SqliteRegistry::Mode::create_new, clock);
    execute("DROP TABLE identity");
    expect_failure(Errc::state_unusable, [&] { block_on(registry_on_disk.list()); });
}

}  // namespace
}  // namespace device_streams::hub
