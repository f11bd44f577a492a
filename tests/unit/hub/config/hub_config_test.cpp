#include "hub/config/hub_config.hpp"

#include "common/base/error.hpp"
#include "common/base/read_file.hpp"
#include "common/config/options.hpp"
#include "common/config/reference.hpp"
#include "tests/support/repository.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;

class HubConfigTest : public testing::Test {
 protected:
    HubConfigTest() {
        std::filesystem::create_directories(folder_);
        for (const auto* name : {"hub.pem", "hub.key"}) std::ofstream(folder_ / name) << "x";
    }
    ~HubConfigTest() override { std::filesystem::remove_all(folder_); }

    HubConfig load(const std::string& text) const { return hub_options().load({.text = text, .base = folder_}); }
    std::string fault_in(const std::string& text) const {
        try {
            static_cast<void>(load(text));
        } catch (const Failure& failure) {
            return failure.detail();
        }
        return "valid";
    }

    const std::filesystem::path folder_ =
        std::filesystem::path(testing::TempDir()) / ("ds_hub_config_" + std::to_string(getpid()));
    const std::string files_ = "certificate: hub.pem\nkey: hub.key\nstate_directory: state\n";
    const std::string valid_ = "name: hub1\npublic_url: https://hub1.example.com:8443\n" + files_;
};

TEST_F(HubConfigTest, ShippedFileIsWhatTheTableSays) {
    EXPECT_EQ(read_file(test::repository_file("configs/stream-hub.yaml")), example_yaml(hub_options().info()))
        << "make it anew with: stream-hub --print-config-example";
}

TEST_F(HubConfigTest, ShippedFileLoadsAndHoldsTheDefaults) {
    std::filesystem::copy_file(test::repository_file("configs/stream-hub.yaml"), folder_ / "stream-hub.yaml");
    const auto config = hub_options().load({.file = folder_ / "stream-hub.yaml"});
    EXPECT_EQ(config.name, "hub1");
    EXPECT_EQ(config.listen->to_string(), "[::]:443");
    EXPECT_FALSE(config.mqtt_listen);
    EXPECT_EQ(config.public_url.to_string(), "https://hub1.example.com:443");
    EXPECT_EQ(config.host_name, "hub1.example.com");
    EXPECT_EQ(config.certificate, (folder_ / "hub.pem").string());
    EXPECT_EQ(config.key, (folder_ / "hub.key").string());
    EXPECT_EQ(config.state_directory, "/var/lib/stream-hub");
    EXPECT_EQ(config.admin_socket, "/var/lib/stream-hub/admin.sock");
    EXPECT_EQ(config.run.threads, 0U);
    EXPECT_EQ(config.run.drain, 30s);
    EXPECT_EQ(config.limits.pairing.handshake_timeout, 60s);
    EXPECT_EQ(config.limits.presence.offline_grace, 5s);
    EXPECT_EQ(config.limits.relay.linger, 5s);
    EXPECT_EQ(config.limits.connections.tls_timeout, 10s);
    EXPECT_EQ(config.limits.connections.head_timeout, 10s);
    EXPECT_EQ(config.limits.connections.idle_timeout, 60s);
    EXPECT_EQ(config.limits.connections.connections_per_address, 1000U);
    EXPECT_EQ(config.limits.presence.linked_devices, 0U);
    EXPECT_EQ(config.limits.links.packets_per_second, 500U);
    EXPECT_EQ(config.limits.pairing.pending_per_policy, 10'000U);
}

TEST_F(HubConfigTest, ReadsEveryKey) {
    const auto config =
        load(valid_ +
             "host_name: other.example.com\nlisten: 127.0.0.1:0\nmqtt_listen: '[::]:8883'\n"
             "admin_socket: /run/a.sock\nthreads: 2\ndrain: 1s\nhandshake_timeout: 10m\noffline_grace: 0s\n"
             "linger: 2s\nlimits: {tls_timeout: 3s, head_timeout: 4s, idle_timeout: 5s, "
             "connections_per_address: 6, linked_devices: 7, packets_per_second: 70, pending_per_policy: 8}\n"
             "log: {level: error, format: human}\n");
    EXPECT_EQ(config.host_name, "other.example.com");
    EXPECT_EQ(config.listen->port, 0);
    EXPECT_EQ(config.mqtt_listen->port, 8883);
    EXPECT_EQ(config.public_url.port, 8443);
    EXPECT_EQ(config.admin_socket, "/run/a.sock");
    EXPECT_EQ(config.state_directory, (folder_ / "state").string());
    EXPECT_EQ(config.run.threads, 2U);
    EXPECT_EQ(config.run.drain, 1s);
    EXPECT_EQ(config.limits.pairing.handshake_timeout, 10min);
    EXPECT_EQ(config.limits.presence.offline_grace, 0s);
    EXPECT_EQ(config.limits.relay.linger, 2s);
    EXPECT_EQ(config.limits.connections.tls_timeout, 3s);
    EXPECT_EQ(config.limits.connections.head_timeout, 4s);
    EXPECT_EQ(config.limits.connections.idle_timeout, 5s);
    EXPECT_EQ(config.limits.connections.connections_per_address, 6U);
    EXPECT_EQ(config.limits.presence.linked_devices, 7U);
    EXPECT_EQ(config.limits.links.packets_per_second, 70U);
    EXPECT_EQ(config.limits.pairing.pending_per_policy, 8U);
    EXPECT_EQ(config.log.level, LogLevel::error);
}

TEST_F(HubConfigTest, QuotaIsThePresetWithWhatIsSet) {
    EXPECT_EQ(limits_of(load(valid_).quota), QuotaSettings{});
    const auto azure = limits_of(load(valid_ + "quota: {preset: azure}\n").quota);
    const QuotaLimits documented{.opens_per_second = 5, .burst = 5, .streams = 50, .bytes_per_day = 300'000'000};
    EXPECT_EQ(at_scope(azure, QuotaScope::hub), documented);
    EXPECT_EQ(at_scope(azure, QuotaScope::policy), QuotaLimits{});
    const auto mixed =
        limits_of(load(valid_ + "quota:\n  preset: azure\n  hub: {opens_per_second: 7, bytes_per_day: 0}\n"
                                "  device: {streams: 3, bytes_per_day: 2GB}\n")
                      .quota);
    EXPECT_EQ(at_scope(mixed, QuotaScope::hub), (QuotaLimits{.opens_per_second = 7, .streams = 50}));
    EXPECT_EQ(at_scope(mixed, QuotaScope::device), (QuotaLimits{.streams = 3, .bytes_per_day = 2'000'000'000}));
}

TEST_F(HubConfigTest, QuotaFaultsAreNamed) {
    EXPECT_NE(fault_in(valid_ + "quota: {preset: aws}\n").find("quota.preset: "), std::string::npos);
    EXPECT_NE(fault_in(valid_ + "quota: {hub: {bytes_per_day: 3 GB}}\n").find("quota.hub.bytes_per_day: "),
              std::string::npos);
    EXPECT_NE(fault_in(valid_ + "quota: {address: {burst: 3}}\n").find("quota.address.burst: without"),
              std::string::npos);
    EXPECT_EQ(fault_in(valid_ + "quota: {preset: azure, hub: {burst: 9}}\n"), "valid");
    EXPECT_NE(fault_in(valid_ + "quota: {devices: {streams: 3}}\n").find("did you mean \"device\""), std::string::npos);
}

TEST_F(HubConfigTest, RequiredKeysAreNamedAllAtOnce) {
    const auto told = fault_in("");
    for (const auto* key : {"name", "public_url", "certificate", "key", "state_directory"})
        EXPECT_NE(told.find("config " + std::string(key) + ": missing"), std::string::npos) << key;
}

TEST_F(HubConfigTest, PublicUrlNamesHostAndPort) {
    const auto with = [this](const std::string& url) { return "name: h\npublic_url: \"" + url + "\"\n" + files_; };
    EXPECT_EQ(load(with("wss://h.example.com")).public_url.port, 443);
    EXPECT_EQ(load(with("https://h.example.com/")).public_url.host, "h.example.com");
    for (const auto* url : {"h.example.com", "http://h:80", "https://", "https://h:0", "https://h:70000",
                            "https://[::1]:443", "https://u@h", "https://unix:x", "https://h:1:2", "https://h/a//b",
                            "https://h/a/../b", "https://h/./a", "https://h/twins", "https://h/devices/a"})
        EXPECT_NE(fault_in(with(url)).find("config:2:13 public_url: "), std::string::npos) << url;
}

TEST_F(HubConfigTest, NamesArePossible) {
    EXPECT_NE(fault_in("name: hub_1\npublic_url: https://h\n" + files_).find("config:1:7 name: "), std::string::npos);
    EXPECT_NE(fault_in(valid_ + "host_name: 'h:1'\n").find("host_name: "), std::string::npos);
}

TEST_F(HubConfigTest, UnreadableFilesAreFaults) {
    const auto told =
        fault_in("name: h\npublic_url: https://h\ncertificate: no.pem\nkey: no.key\nstate_directory: s\n");
    EXPECT_NE(told.find("config:3:14 certificate: cannot be read: "), std::string::npos);
    EXPECT_NE(told.find("config:4:6 key: cannot be read: "), std::string::npos);
}

TEST_F(HubConfigTest, AdminSocketFitsTheSystemsLimit) {
    EXPECT_NE(fault_in(valid_ + "admin_socket: /" + std::string(108, 'x')).find("admin_socket: its path is too long"),
              std::string::npos);
}

TEST_F(HubConfigTest, ListenersDiffer) {
    EXPECT_NE(fault_in(valid_ + "listen: 'a:1'\nmqtt_listen: 'a:1'\n").find("mqtt_listen: the same as listen"),
              std::string::npos);
    EXPECT_EQ(fault_in(valid_ + "listen: 'a:0'\nmqtt_listen: 'a:0'\n"), "valid");
}

TEST_F(HubConfigTest, PublicUrlMayHaveAPrefix) {
    const auto path_of = [this](const std::string& url) {
        return load("name: h\npublic_url: " + url + "\n" + files_).public_url.path;
    };
    EXPECT_EQ(path_of("https://h.example.com"), "");
    EXPECT_EQ(path_of("https://h.example.com/"), "");
    EXPECT_EQ(path_of("https://h.example.com:8443/streams/"), "/streams");
    EXPECT_EQ(path_of("wss://h.example.com/a/b"), "/a/b");
    EXPECT_EQ(load("name: h\npublic_url: https://h/a\n" + files_).public_url.to_string(), "https://h:443/a");
    for (const auto* url : {"https://h//a", "https://h/a//", "https://h/a b", "https://h/a?b", "https://h/%61"})
        EXPECT_NE(fault_in("name: h\npublic_url: \"" + std::string(url) + "\"\n" + files_).find("public_url: "),
                  std::string::npos)
            << url;
}

TEST_F(HubConfigTest, PlainPortIsForThisMachineOnly) {
    for (const auto* good : {"127.0.0.1:8080", "127.9.9.9:80", "'[::1]:8080'", "localhost:8080", "unix:http.sock"})
        EXPECT_TRUE(load(valid_ + "listen_plain: " + good + "\n").listen_plain) << good;
    for (const auto* bad : {"'[::]:8080'", "0.0.0.0:8080", "192.0.2.1:8080", "hub1.example.com:8080"})
        EXPECT_NE(fault_in(valid_ + "listen_plain: " + bad + "\n").find("listen_plain: "), std::string::npos) << bad;
    EXPECT_NE(
        fault_in(valid_ + "listen: 127.0.0.1:1\nlisten_plain: 127.0.0.1:1\n").find("the same as another listener"),
        std::string::npos);
}

TEST_F(HubConfigTest, OnlyTlsNeedsACertificate) {
    const std::string without = "name: h\npublic_url: https://h\nstate_directory: state\nlisten_plain: unix:h.sock\n";
    const auto config = load(without + "listen: off\n");
    EXPECT_FALSE(config.listen);
    EXPECT_FALSE(config.needs_certificate());
    EXPECT_NE(fault_in(without).find("certificate: missing"), std::string::npos);
    EXPECT_NE(fault_in(without + "listen: off\nmqtt_listen: 127.0.0.1:8883\n").find("key: missing"), std::string::npos);
    EXPECT_NE(fault_in(valid_ + "listen: off\n").find("listen: off, and no listen_plain"), std::string::npos);
}

TEST_F(HubConfigTest, TrustedProxiesAreAListOfNetworks) {
    const auto& proxies =
        load(valid_ + "trusted_proxies: [10.0.0.0/8, '::1', unix]\n").limits.connections.trusted_proxies;
    ASSERT_EQ(proxies.size(), 3U);
    EXPECT_TRUE(covers(proxies, "10.9.9.9:1"));
    EXPECT_TRUE(covers(proxies, "unix"));
    EXPECT_NE(
        fault_in(valid_ + "trusted_proxies: [10.0.0.0/8, everybody]\n").find("\"everybody\" is no block of addresses"),
        std::string::npos);
}

TEST_F(HubConfigTest, RangesAreEnforced) {
    for (const auto* text : {"handshake_timeout: 999ms", "handshake_timeout: 601s", "offline_grace: 6m", "drain: 25h",
                             "limits: {tls_timeout: 0s}", "limits: {head_timeout: 6m}", "limits: {idle_timeout: 999ms}",
                             "limits: {connections_per_address: 0}"})
        EXPECT_NE(fault_in(valid_ + text).find("is out of range"), std::string::npos) << text;
}

TEST(HubOptions, NamesWhatARunningHubCannotChange) {
    HubConfig running, fresh;
    fresh.name = "hub2";
    fresh.listen->port = 8443;
    fresh.mqtt_listen = Endpoint{"::", 8883, {}};
    fresh.listen_plain = Endpoint{"127.0.0.1", 8080, {}};
    fresh.state_directory = "/elsewhere";
    fresh.admin_socket = "/elsewhere/admin.sock";
    fresh.run.threads = 7;
    fresh.run.drain = 7s;
    fresh.log.format = LogFormat::json;
    fresh.log.target = LogTarget::syslog;
    fresh.log.file = "hub.log";
    const std::vector<std::string> all{"name",         "listen", "mqtt_listen", "listen_plain", "state_directory",
                                       "admin_socket", "drain",  "threads",     "log.format",   "log.target",
                                       "log.file"};
    auto keys = hub_options().changed_keys(running, fresh, true);
    EXPECT_TRUE(std::ranges::is_permutation(keys, all)) << testing::PrintToString(keys);
}

TEST(HubOptions, WhatAReloadChangesTakesNoRestart) {
    HubConfig running, fresh;
    fresh.host_name = "other.example";
    fresh.public_url.port = 8443;
    fresh.certificate = fresh.key = "other.pem";
    fresh.limits.presence.offline_grace = fresh.limits.relay.linger = fresh.limits.pairing.handshake_timeout = 7s;
    fresh.limits.connections.connections_per_address = 7;
    fresh.log.level = LogLevel::debug;
    EXPECT_TRUE(hub_options().changed_keys(running, fresh, true).empty());
    EXPECT_EQ(hub_options().changed_keys(running, fresh, false).size(), 9U);
}

}  // namespace
}  // namespace device_streams::hub
