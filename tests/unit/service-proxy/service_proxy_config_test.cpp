#include "service-proxy/service_proxy_config.hpp"

#include "common/base/error.hpp"
#include "common/base/read_file.hpp"
#include "common/config/options.hpp"
#include "common/config/reference.hpp"
#include "service-proxy/forward_spec.hpp"
#include "tests/support/repository.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace device_streams::service {
namespace {

using namespace std::chrono_literals;
using Flags = std::map<std::string, std::vector<std::string>>;

constexpr auto connection_string = "HostName=hub1.example.com;SharedAccessKeyName=service;SharedAccessKey=YWJjZA==";

class ServiceProxyConfigTest : public testing::Test {
 protected:
    ServiceProxyConfigTest() {
        std::filesystem::create_directories(folder_);
        write("service.cs", std::string(connection_string) + "\n");
    }
    ~ServiceProxyConfigTest() override { std::filesystem::remove_all(folder_); }

    void write(const std::string& name, std::string_view text) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
    }
    ServiceProxyConfig load(const std::string& text, Flags flags = {}) const {
        return service_proxy_options().load({.text = text, .base = folder_, .flags = std::move(flags)});
    }
    /// With a valid hub section in front.
    ServiceProxyConfig load_rest(const std::string& text, Flags flags = {}) const {
        return load("hub: {connection_string_file: service.cs}\n" + text, std::move(flags));
    }
    template <typename Load>
    static std::string fault_of(const Load& load) {
        try {
            load();
        } catch (const Failure& failure) {
            return failure.detail();
        }
        return "valid";
    }
    std::string fault_in(const std::string& text, Flags flags = {}) const {
        return fault_of([&] { static_cast<void>(load(text, flags)); });
    }
    std::string fault_in_rest(const std::string& text, Flags flags = {}) const {
        return fault_of([&] { static_cast<void>(load_rest(text, flags)); });
    }

    const std::filesystem::path folder_ =
        std::filesystem::path(testing::TempDir()) / ("ds_service_config_" + std::to_string(getpid()));
    const std::string one_forward_ = "forwards: [{listen: '127.0.0.1:2222', device: pump-17}]\n";
};

TEST_F(ServiceProxyConfigTest, ShippedFileIsWhatTheTableSays) {
    EXPECT_EQ(read_file(test::repository_file("configs/service-proxy.yaml")),
              example_yaml(service_proxy_options().info()))
        << "make it anew with: service-proxy --print-config-example";
}

TEST_F(ServiceProxyConfigTest, ShippedFileLoadsAndHoldsTheDefaults) {
    std::filesystem::copy_file(test::repository_file("configs/service-proxy.yaml"), folder_ / "service-proxy.yaml");
    const auto config = service_proxy_options().load({.file = folder_ / "service-proxy.yaml"});
    const ServiceProxyConfig defaults;
    EXPECT_EQ(config.hub.connection_string.reveal(), connection_string);
    EXPECT_EQ(config.hub.port, defaults.hub.port);
    EXPECT_EQ(config.hub.ca_file, "");
    ASSERT_EQ(config.forwards.size(), 1U);
    EXPECT_EQ(config.forwards[0], (Forward{{"127.0.0.1", 2222, ""}, "pump-17", "", "ssh"}));
    EXPECT_FALSE(config.stdio);
    EXPECT_EQ(config.open.hub, 10s);
    EXPECT_EQ(config.open.connect, 15s);
    EXPECT_EQ(config.open.response, 30s);
    EXPECT_EQ(config.relay.linger, 5s);
    EXPECT_EQ(config.run.drain, 30s);
    EXPECT_EQ(config.run.threads, 1U);
    EXPECT_EQ(config.log.level, LogLevel::info);
    EXPECT_EQ(config.log.format, LogFormat::automatic);
}

TEST_F(ServiceProxyConfigTest, ReadsEveryKey) {
    write("ca.pem", "x");
    const auto config = load("hub:\n  connection_string: " + std::string(connection_string) +
                             "\n  ca_file: ca.pem\n  address: 192.0.2.1\n  port: 8443\n"
                             "forwards:\n  - {listen: 'unix:x.sock', device: d, module: m, service: rdp}\n"
                             "timeouts: {hub: 1s, connect: 0s, response: 2s}\nlinger: 3s\ndrain: 4s\nthreads: 5\n"
                             "log: {level: debug, format: json, file: proxy.log}\n");
    EXPECT_EQ(config.hub.ca_file, (folder_ / "ca.pem").string());
    EXPECT_EQ(config.hub.address, "192.0.2.1");
    EXPECT_EQ(config.hub.port, 8443);
    EXPECT_EQ(config.forwards.at(0).listen.path, (folder_ / "x.sock").string());
    EXPECT_EQ(config.forwards.at(0).module, "m");
    EXPECT_EQ(config.forwards.at(0).service, "rdp");
    EXPECT_EQ(config.open.hub, 1s);
    EXPECT_EQ(config.open.connect, 0s);
    EXPECT_EQ(config.open.response, 2s);
    EXPECT_EQ(config.relay.linger, 3s);
    EXPECT_EQ(config.run.drain, 4s);
    EXPECT_EQ(config.run.threads, 5U);
    EXPECT_EQ(config.log.level, LogLevel::debug);
    EXPECT_EQ(config.log.format, LogFormat::json);
    EXPECT_EQ(config.log.file, (folder_ / "proxy.log").string());
}

TEST_F(ServiceProxyConfigTest, FlagsAloneAreEnough) {
    const auto file = (folder_ / "service.cs").string();
    const auto config =
        service_proxy_options().load({.flags = {{"--connection-string-file", {file}},
                                                {"-L,--forward", {"2222:pump-17", "[::1]:3389:pump-18/rdp"}}}});
    ASSERT_EQ(config.forwards.size(), 2U);
    EXPECT_EQ(config.forwards[1].device, "pump-18");
}

TEST_F(ServiceProxyConfigTest, ForwardsOfFlagsLeaveThoseOfTheFileToAnotherProxy) {
    const auto forwards = load_rest(one_forward_, {{"-L,--forward", {"3333:d"}}}).forwards;
    ASSERT_EQ(forwards.size(), 1U);
    EXPECT_EQ(forwards[0].listen.port, 3333);
    EXPECT_EQ(fault_in_rest(one_forward_, {{"-L,--forward", {"3333:d", "3333:e"}}}),
              "-L,--forward: 127.0.0.1:3333 is listened on twice, allowed: once");
}

TEST_F(ServiceProxyConfigTest, ConnectionStringComesFromExactlyOnePlace) {
    EXPECT_EQ(fault_in(one_forward_),
              "config hub.connection_string_file: missing, allowed: a path (or hub.connection_string instead)");
    EXPECT_EQ(
        fault_in("hub: {connection_string: x, connection_string_file: service.cs}\n" + one_forward_),
        "config:1:53 hub.connection_string_file: given together with hub.connection_string, allowed: one of the two");
}

TEST_F(ServiceProxyConfigTest, FlagReplacesTheFilesConnectionString) {
    const auto file = (folder_ / "service.cs").string();
    const auto config = load("hub: {connection_string: x}\n" + one_forward_, {{"--connection-string-file", {file}}});
    EXPECT_EQ(config.hub.connection_string.reveal(), connection_string);
}

TEST_F(ServiceProxyConfigTest, ConnectionStringFileHoldsOneLine) {
    write("two.cs", "a\nb\n");
    write("empty.cs", "\n");
    for (const auto* name : {"two.cs", "empty.cs"})
        EXPECT_NE(fault_in("hub: {connection_string_file: " + std::string(name) + "}\n" + one_forward_)
                      .find("lines beside comments, allowed: one, with a connection string"),
                  std::string::npos);
    EXPECT_NE(fault_in("hub: {connection_string_file: gone.cs}\n" + one_forward_).find("No such file or directory"),
              std::string::npos);
}

TEST_F(ServiceProxyConfigTest, ConnectionStringOfTheWrongSortIsAFaultThatHidesIt) {
    write("device.cs", "HostName=h;DeviceId=d;SharedAccessKey=c2VjcmV0\n");
    write("broken.cs", "HostName=h;SharedAccessKeyName=p;SharedAccessKey=c2VjcmV0,\n");
    for (const auto* name : {"device.cs", "broken.cs"}) {
        const auto told = fault_in("hub: {connection_string_file: " + std::string(name) + "}\n" + one_forward_);
        EXPECT_EQ(told.find("config:1:31 hub.connection_string_file: "), 0U) << told;
        EXPECT_EQ(told.find("c2VjcmV0"), std::string::npos) << told;
    }
}

TEST_F(ServiceProxyConfigTest, CredentialInPlaceOfItsFileIsHidden) {
    const auto told =
        fault_in("hub: {connection_string_file: \"" + std::string(connection_string) + "\"}\n" + one_forward_);
    EXPECT_NE(told.find("this is the credential itself"), std::string::npos);
    EXPECT_EQ(told.find("YWJjZA"), std::string::npos);
}

TEST_F(ServiceProxyConfigTest, UnreadableCaFileIsAFault) {
    EXPECT_NE(fault_in("hub: {connection_string_file: service.cs, ca_file: gone.pem}\n" + one_forward_)
                  .find("hub.ca_file: cannot be read: "),
              std::string::npos);
}

TEST_F(ServiceProxyConfigTest, NeedsAForwardUnlessStandardInputIsOne) {
    EXPECT_NE(fault_in_rest("").find("forwards: empty or missing"), std::string::npos);
    EXPECT_EQ(load_rest("", {{"--stdio", {"pump-17/rdp"}}}).stdio, (Forward{{}, "pump-17", "", "rdp"}));
}

TEST_F(ServiceProxyConfigTest, StdioAndForwardFlagsExcludeEachOther) {
    EXPECT_EQ(fault_in_rest("", {{"--stdio", {"a"}}, {"-L,--forward", {"1:b"}}}),
              "--stdio: given together with -L, allowed: one of the two");
}

TEST_F(ServiceProxyConfigTest, UsersAreNamesOrNumbersOfThisMachine) {
    const auto text = [](const std::string& users) {
        return "forwards: [{listen: '127.0.0.1:22', device: a, allow_users: " + users + "}]\n";
    };
    EXPECT_EQ(load_rest(text("[root, 4711]")).forwards.at(0).allow_users, (std::vector<UserId>{0, 4711}));
    EXPECT_EQ(
        fault_in_rest(text("[no-such-user]")),
        "config:2:62 forwards[0].allow_users[0]: \"no-such-user\" is no user of this machine, allowed: user (name or "
        "number)");
    EXPECT_NE(fault_in_rest(text("[65534]")).find("stands for all users that are not known"), std::string::npos);
    EXPECT_NE(fault_in_rest(text("[]")).find("it is empty"), std::string::npos) << "would be open to all";
}

TEST_F(ServiceProxyConfigTest, AddressesDiffer) {
    EXPECT_EQ(
        fault_in_rest("forwards:\n  - {listen: '127.0.0.1:22', device: a}\n  - {listen: '127.0.0.1:22', device: b}\n"),
        "config:4:14 forwards[1].listen: 127.0.0.1:22 is listened on twice, allowed: once");
    EXPECT_EQ(load_rest("forwards:\n  - {listen: 'x:0', device: a}\n  - {listen: 'x:0', device: b}\n").forwards.size(),
              2U);
}

TEST_F(ServiceProxyConfigTest, RangesAreEnforced) {
    for (const auto* text : {"timeouts: {hub: 99ms}", "timeouts: {hub: 6m}", "timeouts: {connect: 11m}",
                             "timeouts: {response: 0s}", "linger: 11m", "drain: 25h", "threads: 1025"})
        EXPECT_NE(fault_in_rest(one_forward_ + text).find("is out of range"), std::string::npos) << text;
}

TEST_F(ServiceProxyConfigTest, NamesArePossible) {
    EXPECT_NE(fault_in_rest("forwards: [{listen: 'x:1', device: 'a b'}]").find("forwards[0].device: "),
              std::string::npos);
    EXPECT_NE(fault_in_rest("forwards: [{listen: 'x:1', device: a, service: s.t}]").find("forwards[0].service: "),
              std::string::npos);
}

Forward forward(std::string_view text) {
    return parse_forward({text, {}});
}

TEST(ForwardSpec, BindsTheLoopbackForSshUnlessTold) {
    EXPECT_EQ(forward("2222:pump-17"), (Forward{{"127.0.0.1", 2222, ""}, "pump-17", "", "ssh"}));
    EXPECT_EQ(forward("0.0.0.0:33:pump-17/rdp"), (Forward{{"0.0.0.0", 33, ""}, "pump-17", "", "rdp"}));
    EXPECT_EQ(forward("[::1]:33:pump-17/rdp"), (Forward{{"::1", 33, ""}, "pump-17", "", "rdp"}));
    EXPECT_EQ(forward("0:pump-17").listen.port, 0);
}

TEST(ForwardSpec, ListensOnAUnixSocketAsWell) {
    EXPECT_EQ(forward("unix:/tmp/x.sock:pump-17/rdp"), (Forward{{"", 0, "/tmp/x.sock"}, "pump-17", "", "rdp"}));
}

TEST(ForwardSpec, DeviceIdsMayHoldColons) {
    EXPECT_EQ(forward("2222:aa:bb:cc").device, "aa:bb:cc");
    EXPECT_EQ(forward("localhost:2222:aa:bb/rdp").device, "aa:bb");
}

TEST(ForwardSpec, APortInPlaceOfAServiceIsToldHowItIsWritten) {
    const auto told = [](std::string_view text) {
        try {
            forward(text);
        } catch (const BadValue& wrong) {
            return std::string(wrong.what());
        }
        return std::string("taken");
    };
    EXPECT_EQ(told("2222:dev:22"),
              "\"dev:22\" ends with a port, but services go by their names in device-proxy's configuration: dev/ssh "
              "(or dev:22/ssh, if that is the device's id)");
    EXPECT_EQ(forward("2222:dev:22/ssh").device, "dev:22");
    EXPECT_THROW(parse_destination({"dev:22", {}}), BadValue) << "as of ProxyCommand ... %h:%p";
}

TEST(ForwardSpec, RefusesEverythingElse) {
    for (const auto* text : {"", "2222", "2222:", "pump-17", ":2222:a", "70000:a", "x:70000:a", "[::1:22:a", "22:a/",
                             "22:/ssh", "22:a b", "22:a/s/t", "22:a/s.t", "[::1]:22", "localhost:a"})
        EXPECT_THROW(forward(text), BadValue) << text;
}

TEST(ForwardSpec, DestinationIsADeviceAndAService) {
    EXPECT_EQ(parse_destination({"pump-17", {}}), (Forward{{}, "pump-17", "", "ssh"}));
    EXPECT_EQ(parse_destination({"pump-17/rdp", {}}).service, "rdp");
    EXPECT_THROW(parse_destination({"/rdp", {}}), BadValue);
}

}  // namespace
}  // namespace device_streams::service
