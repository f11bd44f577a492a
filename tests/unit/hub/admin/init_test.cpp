#include "hub/admin/init.hpp"

#include "common/async/block_on.hpp"
#include "common/base/error.hpp"
#include "common/iothub/connection_string.hpp"
#include "hub/admin/admin_client.hpp"
#include "hub/identity/openssl_owner.hpp"
#include "hub/registry/sqlite_registry.hpp"
#include "tests/support/manual_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace device_streams::hub {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class InitTest : public ::testing::Test {
 protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "hub-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        scratch = pattern;
        options.directory = scratch / "hub";
        options.name = "hub1";
        options.host = "hub1.example.com";
        options.port = 8443;
    }
    void TearDown() override { fs::remove_all(scratch); }

    std::string read(const char* file) const {
        std::ifstream in(options.directory / file);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void expect_refused(Errc expected) {
        try {
            init_hub(options, clock);
            FAIL() << "made a hub";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.errc(), expected) << failure.what();
        }
    }
    StateDirectory state() const { return {options.directory / "state"}; }
    json open_request(const json& request) {
        const HubLocation location{
            state(), state().admin_socket(), {"hub1.example.com", "https://hub1.example.com:8443"}};
        return result_of(block_on(administer(location, request, Clock::duration::zero(), clock)));
    }

    test::ManualClock clock;
    fs::path scratch;
    InitOptions options;
};

TEST_F(InitTest, OfTwoAtATimeOneWinsAndLosesNothing) {
    for (int time = 0; time < 20; ++time) {
        fs::create_directory(options.directory);  // both may take it over
        std::atomic<int> made = 0;
        const auto init = [&] {
            try {
                test::ManualClock own_clock;
                init_hub(options, own_clock);
                ++made;
            } catch (const Failure& failure) {
                EXPECT_EQ(failure.errc(), Errc::already_exists) << failure.what();
            }
        };
        std::jthread other(init);
        init();
        other.join();
        EXPECT_EQ(made, 1);
        for (const auto* file : {"stream-hub.yaml", "hub-ca.pem", "hub-ca.key", "hub.pem", "hub.key", "service.cs"})
            EXPECT_TRUE(fs::exists(options.directory / file)) << file;
        fs::remove_all(options.directory);
    }
}

TEST_F(InitTest, MakesEverythingThatAHubNeeds) {
    init_hub(options, clock);
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(options.directory)) files.push_back(entry.path().filename());
    EXPECT_THAT(files, UnorderedElementsAre("stream-hub.yaml", "hub-ca.pem", "hub-ca.key", "hub.pem", "hub.key",
                                            "service.cs", "state"));
    EXPECT_TRUE(fs::exists(state().registry_file()));
}

std::string subject_of(const std::string& pem) {
    const Owner<BIO, BIO_free> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const Owner<X509, X509_free> certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    std::array<char, 128> text{};
    X509_NAME_oneline(X509_get_subject_name(certificate.get()), text.data(), text.size());
    return text.data();
}

TEST_F(InitTest, TwoHubsOfOneNameHaveCAsOfTwoNames) {
    options.name = std::string(50, 'h');  // the longest
    init_hub(options, clock);
    const auto first = subject_of(read("hub-ca.pem"));
    EXPECT_THAT(first, HasSubstr("/CN=" + options.name + " CA "));
    options.directory = scratch / "other";
    init_hub(options, clock);
    EXPECT_NE(subject_of(read("hub-ca.pem")), first);
}

TEST_F(InitTest, LetsNobodyElseReadAnything) {
    init_hub(options, clock);
    const auto owner_only = fs::perms::owner_read | fs::perms::owner_write;
    EXPECT_EQ(fs::status(options.directory).permissions(), fs::perms::owner_all);
    for (const auto& entry : fs::recursive_directory_iterator(options.directory))
        EXPECT_EQ(entry.status().permissions(), entry.is_directory() ? fs::perms::owner_all : owner_only)
            << entry.path();
}

TEST_F(InitTest, WritesAServiceConnectionStringThatTheRegistryKnows) {
    init_hub(options, clock);
    auto text = read("service.cs");
    text.pop_back();  // line feed
    const auto service = iothub::parse_connection_string(text);
    EXPECT_EQ(service.host_name, "hub1.example.com");
    EXPECT_EQ(service.policy, "service");

    SqliteRegistry registry(state().registry_file(), SqliteRegistry::Mode::open_existing, clock);
    const auto policy = block_on(registry.find_policy("service"));
    ASSERT_TRUE(policy);
    EXPECT_TRUE(policy->keys.primary == service.key);
    EXPECT_EQ(policy->permissions, Permissions{.service_connect = true});
    EXPECT_EQ(policy->rules, (std::vector<NumberedRule>{{1, AllowRule()}}));
}

TEST_F(InitTest, WritesHostPortAndNameIntoTheConfiguration) {
    init_hub(options, clock);
    const auto text = read("stream-hub.yaml");
    EXPECT_THAT(text, HasSubstr("\nname: hub1\n"));
    EXPECT_THAT(text, HasSubstr("\nlisten: \"[::]:8443\"\n"));
    EXPECT_THAT(text, HasSubstr("\npublic_url: https://hub1.example.com:8443\n"));
    EXPECT_THAT(text, Not(HasSubstr("{")));
}

TEST_F(InitTest, TellsThePersonWhatToDoNext) {
    EXPECT_THAT(describe_new_hub(options),
                HasSubstr("stream-hub -c " + (options.directory / "stream-hub.yaml").string() + " device add"));
}

TEST_F(InitTest, TakesOverAnEmptyDirectory) {
    fs::create_directory(options.directory);
    init_hub(options, clock);
    EXPECT_EQ(fs::status(options.directory).permissions(), fs::perms::owner_all);
}

TEST_F(InitTest, NeverTouchesADirectoryInUse) {
    init_hub(options, clock);
    const auto before = read("hub.key");
    expect_refused(Errc::already_exists);
    EXPECT_EQ(read("hub.key"), before);
}

TEST_F(InitTest, RefusesNamesAndHostsThatNobodyCanUse) {
    options.host = "::1";
    expect_refused(Errc::usage);
    options.host = "hub 1";
    expect_refused(Errc::usage);
    options.host = "hub1.example.com";
    options.name = "hub_1";
    expect_refused(Errc::usage);
    EXPECT_FALSE(fs::exists(options.directory));
}

TEST_F(InitTest, SaysWhereItCannotWrite) {
    options.directory = scratch / "missing" / "hub";
    expect_refused(Errc::state_unusable);
}

TEST_F(InitTest, MakesAHubThatCanBeAdministeredBeforeItRuns) {
    init_hub(options, clock);
    EXPECT_THAT(
        open_request({{"command", "device add"}, {"device", "pump-17"}}).at("connectionString").get<std::string>(),
        HasSubstr("HostName=hub1.example.com;DeviceId=pump-17;"));
    EXPECT_EQ(open_request({{"command", "device list"}}).at(0).at("device"), "pump-17");
}

TEST_F(InitTest, FollowsNoLinkInPlaceOfTheLock) {
    init_hub(options, clock);
    const auto elsewhere = options.directory / "elsewhere";
    fs::remove(state().lock_file());
    fs::create_symlink(elsewhere, state().lock_file());
    try {
        static_cast<void>(state().try_lock());
        FAIL() << "took it";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::state_unusable);
    }
    EXPECT_FALSE(fs::exists(elsewhere)) << "which another user could have chosen";
}

TEST_F(InitTest, LeavesTheRegistryToWhoeverHoldsTheLock) {
    init_hub(options, clock);
    const auto lock = FileLock::try_acquire(state().lock_file());
    ASSERT_TRUE(lock);
    try {
        open_request({{"command", "device list"}});
        FAIL() << "opened a registry that is in use";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::hub_not_running);
    }
}

TEST_F(InitTest, GivesTheLockToOneAtATime) {
    init_hub(options, clock);
    {
        const auto first = block_on(state().lock(Clock::duration::zero(), clock));
        EXPECT_THROW(block_on(state().lock(Clock::duration::zero(), clock)), Failure);
    }
    block_on(state().lock(Clock::duration::zero(), clock));
}

}  // namespace
}  // namespace device_streams::hub
