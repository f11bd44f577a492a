#include "common/base/exit_code.hpp"
#include "hub/admin/command_line.hpp"
#include "hub/admin/init.hpp"
#include "tests/support/manual_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace device_streams::hub {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// A hub that does not run, and the directory it stands in.
class CommandLineTest : public ::testing::Test {
 protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "hub-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        scratch = pattern;
        directory = scratch / "hub";
        InitOptions options;
        options.directory = directory;
        options.host = "hub1.example.com";
        test::ManualClock clock;
        init_hub(options, clock);
    }
    void TearDown() override { fs::remove_all(scratch); }

    int line(std::vector<std::string> words) {
        std::vector<const char*> argv{"stream-hub"};
        for (const auto& word : words) argv.push_back(word.c_str());
        ::testing::internal::CaptureStdout();
        ::testing::internal::CaptureStderr();
        const int code = command_line(static_cast<int>(argv.size()), argv.data(), [this](auto loaded) {
            ran = loaded.config->name;
            return 42;
        });
        out = ::testing::internal::GetCapturedStdout();
        err = ::testing::internal::GetCapturedStderr();
        return code;
    }
    int hub(std::vector<std::string> words) {
        words.insert(words.end(), {"-c", config()});
        return line(std::move(words));
    }
    std::string config() const { return directory / "stream-hub.yaml"; }

    fs::path scratch, directory;
    std::string out, err, ran;
};

TEST_F(CommandLineTest, RunsTheHubWhenNoCommandIsGiven) {
    EXPECT_EQ(hub({}), 42);
    EXPECT_EQ(ran, "hub");
    ran.clear();
    EXPECT_EQ(hub({"run"}), 42);
    EXPECT_EQ(ran, "hub");
}

TEST_F(CommandLineTest, ChecksAConfigurationWithoutRunning) {
    EXPECT_EQ(hub({"--check-config"}), exit_ok);
    EXPECT_THAT(ran, IsEmpty());
}

TEST_F(CommandLineTest, RefusesAFaultyConfiguration) {
    std::ofstream(config(), std::ios::app) << "colour: blue\n";
    EXPECT_EQ(hub({}), exit_config);
    EXPECT_THAT(err, HasSubstr("colour"));
    EXPECT_THAT(ran, IsEmpty());
    hub({"device", "add", "pump-17"});
    EXPECT_EQ(hub({"device", "list"}), exit_unavailable);
    EXPECT_THAT(out, HasSubstr("pump-17")) << "a hub can be administered, whatever is wrong elsewhere in its file";
}

TEST_F(CommandLineTest, ShowsHelpWhenNothingIsSaid) {
    EXPECT_EQ(line({}), exit_usage);
    EXPECT_THAT(err, HasSubstr("init"));
}

TEST_F(CommandLineTest, RefusesWordsThatMeanNothing) {
    for (const auto& words :
         std::vector<std::vector<std::string>>{{"coffee"},
                                               {"device"},
                                               {"device", "paint"},
                                               {"device", "add"},
                                               {"device", "add", "a", "b"},
                                               {"policy", "add", "ops", "--permission", "everything"},
                                               {"device", "renew-key", "a"}}) {
        EXPECT_EQ(hub(words), exit_usage) << words.back();
        EXPECT_THAT(out, IsEmpty());
    }
}

TEST_F(CommandLineTest, PrintsTheConnectionStringOfANewDeviceAlone) {
    EXPECT_EQ(hub({"device", "add", "pump-17"}), exit_ok);
    EXPECT_THAT(out, StartsWith("HostName=hub1.example.com;DeviceId=pump-17;SharedAccessKey="));
    EXPECT_EQ(std::ranges::count(out, '\n'), 1);
    EXPECT_THAT(err, IsEmpty());
}

TEST_F(CommandLineTest, TakesModulesWithSlashOrFlag) {
    hub({"device", "add", "pump-17"});
    EXPECT_EQ(hub({"device", "add", "pump-17/ssh"}), exit_ok);
    EXPECT_THAT(out, HasSubstr("DeviceId=pump-17;ModuleId=ssh;"));
    EXPECT_EQ(hub({"device", "add", "pump-17", "--module", "rdp"}), exit_ok);
    EXPECT_THAT(out, HasSubstr("DeviceId=pump-17;ModuleId=rdp;"));
    hub({"device", "remove", "pump-17/ssh"});
    hub({"device", "list"});
    EXPECT_THAT(out, HasSubstr("pump-17/rdp"));
    EXPECT_THAT(out, Not(HasSubstr("pump-17/ssh")));
}

TEST_F(CommandLineTest, WritesAConnectionStringToAPrivateFile) {
    const auto file = scratch / "pump.cs";
    EXPECT_EQ(hub({"device", "add", "pump-17", "--output", file}), exit_ok);
    EXPECT_THAT(out, IsEmpty());
    EXPECT_THAT(err, Not(HasSubstr("SharedAccessKey")));
    EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    std::string text;
    std::getline(std::ifstream(file), text);
    EXPECT_THAT(text, StartsWith("HostName=hub1.example.com;DeviceId=pump-17;"));
}

TEST_F(CommandLineTest, AddsNoDeviceWhoseKeyCannotBeWritten) {
    const auto file = scratch / "pump.cs";
    std::ofstream(file) << "mine";
    EXPECT_EQ(hub({"device", "add", "pump-17", "--output", file}), exit_data);
    EXPECT_THAT(err, HasSubstr("DS-609"));
    hub({"device", "list"});
    EXPECT_THAT(out, IsEmpty());
}

TEST_F(CommandLineTest, LeavesNoFileBehindWhenTheDeviceIsRefused) {
    const auto file = scratch / "pump.cs";
    hub({"device", "add", "pump-17"});
    EXPECT_EQ(hub({"device", "add", "pump-17", "--output", file}), exit_data);
    EXPECT_FALSE(fs::exists(file));
}

TEST_F(CommandLineTest, TellsFailuresWithTheirNextStepOnStandardError) {
    EXPECT_EQ(hub({"device", "remove", "stranger"}), exit_data);
    EXPECT_THAT(out, IsEmpty());
    EXPECT_THAT(err, StartsWith("stream-hub: DS-610 "));
    EXPECT_EQ(hub({"device", "add", "a b"}), exit_usage);
    EXPECT_THAT(err, HasSubstr("DS-107"));
}

TEST_F(CommandLineTest, ListsDevicesForPeopleAndPrograms) {
    hub({"device", "add", "pump-17"});
    hub({"device", "disable", "pump-17"});
    hub({"device", "list"});
    EXPECT_THAT(out, StartsWith("pump-17  disabled  2"));
    hub({"device", "list", "--json"});
    EXPECT_EQ(json::parse(out).at(0).at("enabled"), false);
    hub({"device", "enable", "pump-17"});
    hub({"device", "show", "pump-17"});
    EXPECT_EQ(json::parse(out).at("enabled"), true);
}

TEST_F(CommandLineTest, GivesPoliciesTheRightToOpenStreamsUnlessToldOtherwise) {
    hub({"policy", "add", "ops"});
    EXPECT_THAT(out, StartsWith("HostName=hub1.example.com;SharedAccessKeyName=ops;SharedAccessKey="));
    hub({"policy", "add", "gate", "--permission", "device-connect", "--permission", "registry-read"});
    hub({"policy", "list"});
    EXPECT_EQ(out,
              "gate     RegistryRead DeviceConnect\n"
              "ops      ServiceConnect, may reach nothing: no rules\n"
              "service  ServiceConnect, 1 rule\n");
    EXPECT_EQ(hub({"policy", "remove", "gate"}), exit_ok);
    hub({"policy", "list"});
    EXPECT_THAT(out, Not(HasSubstr("gate")));
}

TEST_F(CommandLineTest, ChangesTheRulesOfPolicies) {
    hub({"policy", "show", "service"});
    EXPECT_EQ(out, "service: ServiceConnect, 1 rule\n  1    * *\n");
    hub({"policy", "add", "ops", "--allow", "pump-* ssh", "--allow", "valve-1 rdp"});
    EXPECT_EQ(hub({"policy", "allow", "ops", "fan-*", "ssh,web", "mon-fri", "08:00-18:00", "UTC"}), exit_ok);
    EXPECT_EQ(hub({"policy", "disallow", "ops", "2"}), exit_ok);
    EXPECT_EQ(out,
              "ops: ServiceConnect, 2 rules\n"
              "  1    pump-* ssh\n"
              "  3    fan-* ssh,web mon-fri 08:00-18:00 UTC\n");
    EXPECT_EQ(hub({"policy", "disallow", "ops", "pump-* ssh"}), exit_ok);
    hub({"policy", "show", "ops", "--json"});
    EXPECT_EQ(json::parse(out).at("rules").size(), 1u);
    EXPECT_EQ(hub({"policy", "allow", "ops", "fan-* ssh mon-fri"}), exit_usage);
    EXPECT_THAT(err, HasSubstr("need a time zone"));
}

TEST_F(CommandLineTest, ExplainsAPolicyAtAnyTime) {
    hub({"device", "add", "fan-1"});
    hub({"policy", "add", "ops", "--allow", "fan-* ssh mon-fri UTC"});
    EXPECT_EQ(hub({"policy", "explain", "ops", "fan-1", "ssh", "--at", "2026-11-24T12:00Z"}), exit_ok);
    EXPECT_EQ(out, "yes: rule 1 (fan-* ssh mon-fri UTC) allows it\n");
    EXPECT_EQ(hub({"policy", "explain", "ops", "fan-1", "ssh", "--at", "2026-11-29T01:00+01:00"}), exit_ok);
    EXPECT_EQ(out, "no: no rule allows it: rule 1 (fan-* ssh mon-fri UTC) does, but not at 2026-11-29T00:00:00Z\n");
    hub({"policy", "explain", "service", "fan-2/tunnel", "x"});
    EXPECT_EQ(out, "yes: rule 1 (* *) allows it (this hub knows no such device)\n");
    EXPECT_EQ(hub({"policy", "explain", "ops", "fan-1", "ssh", "--at", "tomorrow"}), exit_usage);
    EXPECT_THAT(err, HasSubstr("\"tomorrow\" is no time"));
}

TEST_F(CommandLineTest, SaysThatWithoutAHubNobodyKnowsWhoIsConnected) {
    hub({"device", "add", "pump-17"});
    for (const auto& words :
         {std::vector<std::string>{"device", "list"}, {"device", "list", "--json"}, {"device", "show", "pump-17"}}) {
        EXPECT_EQ(hub(words), exit_unavailable);
        EXPECT_THAT(out, HasSubstr("pump-17"));
        EXPECT_THAT(err, AllOf(HasSubstr("DS-608"), HasSubstr("who is connected is not known")));
    }
    EXPECT_EQ(hub({"policy", "list"}), exit_ok);
}

TEST_F(CommandLineTest, RenewsKeys) {
    hub({"device", "add", "pump-17"});
    const auto before = out;
    EXPECT_EQ(hub({"device", "renew-key", "pump-17", "--key", "primary"}), exit_ok);
    EXPECT_THAT(out, StartsWith("HostName=hub1.example.com;DeviceId=pump-17;"));
    EXPECT_NE(out, before);
}

TEST_F(CommandLineTest, ShowsTheStreamingEndpointAsTheAzureTool) {
    hub({"devicestream", "show"});
    EXPECT_EQ(json::parse(out), (json{{"streamingEndpoints", json::array({"https://hub1.example.com"})}}));
}

TEST_F(CommandLineTest, TakesTheHubsNameAsTheAzureTool) {
    EXPECT_EQ(hub({"devicestream", "show", "--name", "hub1"}), exit_ok) << err;
    EXPECT_EQ(hub({"devicestream", "show", "-n", "hub1"}), exit_ok) << err;
    EXPECT_THAT(out, HasSubstr("https://hub1.example.com"));
}

TEST_F(CommandLineTest, FindsTheHubByItsStateDirectory) {
    EXPECT_EQ(line({"device", "add", "pump-17", "--state-directory", directory / "state"}), exit_ok);
    EXPECT_THAT(out, StartsWith("HostName=hub1.example.com;"));
    EXPECT_EQ(line({"device", "list", "--state-directory", scratch / "nowhere"}), exit_cut);
    EXPECT_THAT(err, AllOf(HasSubstr("DS-106"), HasSubstr("stream-hub init")));
}

TEST_F(CommandLineTest, MakesNoConnectionStringWithoutKnowingTheHubsName) {
    fs::remove(config());
    const auto state = (directory / "state").string();
    EXPECT_EQ(line({"device", "add", "pump-17", "--state-directory", state}), exit_usage);
    EXPECT_THAT(err, HasSubstr("-c"));
    EXPECT_EQ(line({"policy", "list", "--state-directory", state}), exit_ok);
}

TEST_F(CommandLineTest, MakesAHub) {
    const auto made = scratch / "another";
    EXPECT_EQ(line({"init", made, "--name", "hub2", "--host", "127.0.0.1", "--port", "8443"}), exit_ok);
    EXPECT_THAT(out, HasSubstr("hub2"));
    EXPECT_EQ(line({"-c", made / "stream-hub.yaml"}), 42);
    EXPECT_EQ(ran, "hub2");
    EXPECT_EQ(line({"init", made}), exit_data);
    EXPECT_THAT(err, HasSubstr("DS-609"));
}

}  // namespace
}  // namespace device_streams::hub
