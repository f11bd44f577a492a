#include "device-proxy/device_proxy_config.hpp"

#include "common/base/error.hpp"
#include "common/base/read_file.hpp"
#include "common/config/options.hpp"
#include "common/config/reference.hpp"
#include "tests/support/client_certificates.hpp"
#include "tests/support/repository.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace device_streams::device {
namespace {

using namespace std::chrono_literals;

constexpr auto connection_string = "HostName=hub1.example.com;DeviceId=pump-17;SharedAccessKey=YWJjZA==";

class DeviceProxyConfigTest : public testing::Test {
 protected:
    DeviceProxyConfigTest() {
        std::filesystem::create_directories(folder_);
        write("device.cs", std::string(connection_string) + "\n");
    }
    ~DeviceProxyConfigTest() override { std::filesystem::remove_all(folder_); }

    void write(const std::string& name, std::string_view text) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
    }
    DeviceProxyConfig load(const std::string& text) const {
        return device_proxy_options().load({.text = text, .base = folder_});
    }
    std::string fault_in(const std::string& text) const {
        try {
            static_cast<void>(load(text));
        } catch (const Failure& failure) {
            return failure.detail();
        }
        return "valid";
    }

    const std::filesystem::path folder_ =
        std::filesystem::path(testing::TempDir()) / ("ds_device_config_" + std::to_string(getpid()));
    const std::string valid_ = "hub: {connection_string_file: device.cs}\nservices: {ssh: 'localhost:22'}\n";
};

TEST_F(DeviceProxyConfigTest, ShippedFileIsWhatTheTableSays) {
    EXPECT_EQ(read_file(test::repository_file("configs/device-proxy.yaml")),
              example_yaml(device_proxy_options().info()))
        << "make it anew with: device-proxy --print-config-example";
}

TEST_F(DeviceProxyConfigTest, ServicesMayBeNarrowedToPolicies) {
    const std::string hub = "hub: {connection_string_file: device.cs}\nservices:\n  ssh:\n    address: localhost:22\n";
    EXPECT_EQ(load(hub + "    allow_from: [ops, night-shift]\n").services.at("ssh").allow_from,
              (std::vector<std::string>{"ops", "night-shift"}));
    EXPECT_TRUE(load(hub).services.at("ssh").allow_from.empty());
    const auto has = [&](const std::string& list, const std::string& fault) {
        EXPECT_NE(fault_in(hub + list).find("config:5:17 services.ssh.allow_from" + fault), std::string::npos)
            << fault_in(hub + list);
    };
    has("    allow_from: []\n", ": it is empty, allowed: a list with at least one item");
    has("    allow_from: ops\n", ": ");
    EXPECT_NE(fault_in(hub + "    allow_from:\n").find("services.ssh.allow_from: it is empty"), std::string::npos);
    EXPECT_NE(fault_in(hub + "    allow_from: [ops, a b]\n").find("services.ssh.allow_from[1]: \"a b\""),
              std::string::npos)
        << fault_in(hub + "    allow_from: [ops, a b]\n");
}

TEST_F(DeviceProxyConfigTest, ShippedFileLoadsAndHoldsTheDefaults) {
    std::filesystem::copy_file(test::repository_file("configs/device-proxy.yaml"), folder_ / "device-proxy.yaml");
    const auto config = device_proxy_options().load({.file = folder_ / "device-proxy.yaml"});
    const DeviceProxyConfig defaults;
    EXPECT_EQ(config.hub.connection_string.reveal(), connection_string);
    EXPECT_EQ(config.hub.port, 443);
    EXPECT_EQ(config.link.transport, LinkTransport::mqtt_ws);
    EXPECT_EQ(config.mqtt_port, 8883);
    EXPECT_EQ(config.link.keep_alive, 20s);
    EXPECT_EQ(config.link.hub.timeout, 10s);
    EXPECT_EQ(config.link.backoff.first, 1s);
    EXPECT_EQ(config.link.backoff.longest, 60s);
    EXPECT_EQ(config.services.at("ssh").address.to_string(), "localhost:22");
    EXPECT_FALSE(config.default_service);
    EXPECT_EQ(config.streams.local_timeout, 10s);
    EXPECT_EQ(config.streams.relay.linger, defaults.streams.relay.linger);
    EXPECT_EQ(config.run.drain, 30s);
    EXPECT_EQ(config.run.threads, 1U);
}

TEST_F(DeviceProxyConfigTest, ReadsEveryKey) {
    const auto config = load(
        "hub: {connection_string_file: device.cs, transport: mqtt, mqtt_port: 18883, keep_alive: 30s}\n"
        "services: {ssh: 'localhost:22', console: 'unix:/run/c.sock'}\ndefault_service: console\n"
        "timeouts: {hub: 1s, local: 2s}\nreconnect: {first: 3s, longest: 4s}\nlinger: 5s\ndrain: 6s\nthreads: 0\n");
    EXPECT_EQ(config.link.transport, LinkTransport::mqtt);
    EXPECT_EQ(config.mqtt_port, 18883);
    EXPECT_EQ(config.link.keep_alive, 30s);
    EXPECT_TRUE(config.services.at("console").address.is_unix());
    EXPECT_EQ(config.default_service, "console");
    EXPECT_EQ(config.link.hub.timeout, 1s);
    EXPECT_EQ(config.streams.local_timeout, 2s);
    EXPECT_EQ(config.link.backoff.first, 3s);
    EXPECT_EQ(config.link.backoff.longest, 4s);
    EXPECT_EQ(config.streams.relay.linger, 5s);
    EXPECT_EQ(config.run.drain, 6s);
    EXPECT_EQ(config.run.threads, 0U);
}

TEST_F(DeviceProxyConfigTest, ConnectionStringIsADevices) {
    write("service.cs", "HostName=h;SharedAccessKeyName=service;SharedAccessKey=YWJjZA==");
    EXPECT_NE(fault_in("hub: {connection_string_file: service.cs}\nservices: {ssh: 'localhost:22'}\n")
                  .find("this is the connection string of a service"),
              std::string::npos);
}

TEST_F(DeviceProxyConfigTest, ConnectionStringDecidesWhetherACertificateIsNeeded) {
    write("x509.cs", "HostName=h;DeviceId=d;x509=true");
    const auto one = test::make_certificate({.common_names = {"d"}}), other = test::make_certificate({});
    write("device.pem", one.certificate);
    write("device.key", one.key);
    write("other.key", other.key);
    write("encrypted.key", test::encrypted_key(one, "secret words"));
    write("right.pass", "secret words\n");
    write("wrong.pass", "other words\n");
    const auto hub = [&](const std::string& more) {
        return "hub: {connection_string_file: x509.cs" + more + "}\nservices: {ssh: 'localhost:22'}\n";
    };
    const auto has = [&](const std::string& text, const std::string& fault) {
        EXPECT_NE(fault_in(text).find(fault), std::string::npos) << fault_in(text);
    };
    has(hub(""), "hub.certificate: missing, allowed: a path (the connection string says x509=true)");
    has(hub(""), "hub.key: missing");
    EXPECT_EQ(fault_in(hub(", certificate: device.pem, key: device.key")), "valid");
    has(hub(", certificate: none.pem, key: device.key"), "none.pem");
    has(hub(", certificate: device.pem, key: none.key"), "none.key");
    has(hub(", certificate: device.key, key: device.key"), "device.key: no start line");
    has(hub(", certificate: device.pem, key: other.key"), "other.key is not the key of ");
    const std::string encrypted = ", certificate: device.pem, key: encrypted.key";
    EXPECT_EQ(fault_in(hub(encrypted + ", key_passphrase_file: right.pass")), "valid");
    has(hub(encrypted), "encrypted.key is encrypted, and there is no passphrase");
    has(hub(encrypted + ", key_passphrase_file: wrong.pass"), "encrypted.key is encrypted with another passphrase");
    has("hub: {connection_string_file: device.cs, certificate: device.pem}\nservices: {ssh: 'localhost:22'}\n",
        "hub.certificate: not used");
}

TEST_F(DeviceProxyConfigTest, NeedsAService) {
    EXPECT_NE(fault_in("hub: {connection_string_file: device.cs}\n").find("services: empty or missing"),
              std::string::npos);
    EXPECT_NE(fault_in("hub: {connection_string_file: device.cs}\nservices:\n").find("services: empty or missing"),
              std::string::npos);
}

TEST_F(DeviceProxyConfigTest, ServiceNamesAndAddressesArePossible) {
    const std::string hub = "hub: {connection_string_file: device.cs}\n";
    EXPECT_NE(fault_in(hub + "services: {s.h: 'x:1'}").find("services: \"s.h\" is not possible"), std::string::npos);
    EXPECT_NE(fault_in(hub + "services: {ssh: 22}").find("services.ssh: \"22\" is not an address"), std::string::npos);
    EXPECT_NE(fault_in(hub + "services: {ssh: 'localhost:0'}").find("services.ssh: "), std::string::npos);
}

TEST_F(DeviceProxyConfigTest, DefaultServiceIsOneOfTheServices) {
    EXPECT_EQ(fault_in(valid_ + "default_service: rdp\n"),
              "config:3:18 default_service: \"rdp\" is not one of the services, allowed: ssh");
}

TEST_F(DeviceProxyConfigTest, LongestWaitIsNotShorterThanTheFirst) {
    EXPECT_EQ(fault_in(valid_ + "reconnect: {first: 10s, longest: 5s}\n"),
              "config:3:34 reconnect.longest: shorter than reconnect.first, allowed: at least 10s");
}

TEST_F(DeviceProxyConfigTest, RangesAreEnforced) {
    for (const auto* text : {"timeouts: {hub: 99ms}", "timeouts: {local: 61s}", "reconnect: {first: 9ms}",
                             "reconnect: {longest: 61m}", "linger: 11m", "drain: 25h", "threads: 1025"})
        EXPECT_NE(fault_in(valid_ + text).find("is out of range"), std::string::npos) << text;
    for (const auto* keep_alive : {"4s", "1768s"})
        EXPECT_NE(fault_in("hub: {connection_string_file: device.cs, keep_alive: " + std::string(keep_alive) +
                           "}\nservices: {ssh: 'localhost:22'}\n")
                      .find("is out of range"),
                  std::string::npos);
}

TEST_F(DeviceProxyConfigTest, TransportIsOneOfTwo) {
    EXPECT_NE(fault_in("hub: {connection_string_file: device.cs, transport: mqttws}\nservices: {ssh: 'localhost:22'}\n")
                  .find("\"mqttws\" is not known (did you mean \"mqtt-ws\"?), allowed: word (mqtt-ws, mqtt)"),
              std::string::npos);
}

}  // namespace
}  // namespace device_streams::device
