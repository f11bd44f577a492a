#pragma once

#include "device-proxy/device_proxy.hpp"
#include "hub/registry/sqlite_registry.hpp"
#include "hub/stream_hub.hpp"
#include "service-proxy/service_proxy.hpp"
#include "tests/component/support/background.hpp"
#include "tests/component/support/blocking_socket.hpp"
#include "tests/support/certificates.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace device_streams::test {

using namespace std::chrono_literals;

/// The whole tunnel in this process: hub, device-proxy of pump-17 and service-proxy, each on a strand of its own.
/// pump-17 has the services ssh (where the test listens) and closed (where nobody does); sleeper is a device that never
/// connects.
class TunnelTest : public testing::Test {
 protected:
    TunnelTest() {
        start_hub();
        start_device();
        start_proxy(proxy_config());
    }
    ~TunnelTest() override {
        if (proxy) proxy->stop();
        if (device) device->stop();
        if (hub) hub->stop();
        for (const char* secret : {device_key, service_key, "SharedAccessSignature", "sig=", "Bearer ", "eyJ0eXAi"})
            EXPECT_FALSE(lines->contains(secret)) << secret;
    }

    void start_hub() {
        const hub::KeyPair device_keys{Secret(device_key), Secret(device_key)};
        const hub::KeyPair service_keys{Secret(service_key), Secret(service_key)};
        auto open_registry = [&](hub::Registry::OnRevoked on_revoked) {
            auto registry = std::make_unique<hub::SqliteRegistry>(
                hub::SqliteRegistry::in_memory, hub::SqliteRegistry::Mode::create_new, clock, std::move(on_revoked));
            background.wait_for(registry->add({"pump-17", ""}, device_keys));
            background.wait_for(registry->add({"sleeper", ""}, device_keys));
            background.wait_for(
                registry->add_policy("service", {.service_connect = true}, service_keys, {hub::AllowRule()}));
            return registry;
        };
        hub::HubConfig config;
        config.name = "hub";
        config.listen = Endpoint{.host = "127.0.0.1", .port = hub_port, .path = {}};
        config.public_url = {.host = "localhost", .port = 0, .path = {}};
        config.host_name = "localhost";
        config.certificate = certificates.certificate_file;
        config.key = certificates.key_file;
        config.limits.relay.goodbye = 2s;
        hub.emplace(background, lines, open_registry, config);
        hub_port = (*hub)->endpoint().port;
    }
    device::DeviceProxyConfig device_config() const {
        device::DeviceProxyConfig config;
        config.hub = hub_settings("HostName=localhost;DeviceId=pump-17;SharedAccessKey=" + std::string(device_key));
        config.services = {{"ssh", {service.endpoint()}}, {"closed", {closed_endpoint()}}};
        config.link.backoff = {.first = 20ms, .longest = 100ms};
        return config;
    }
    void start_device() { device.emplace(background, lines, device::make_settings(device_config())); }
    service::ServiceProxyConfig proxy_config(const std::string& key = service_key) {
        service::ServiceProxyConfig config;
        config.hub = hub_settings("HostName=localhost;SharedAccessKeyName=service;SharedAccessKey=" + key);
        config.forwards = {forward_to("pump-17", "ssh")};
        return config;
    }
    void start_proxy(const service::ServiceProxyConfig& config) {
        proxy.emplace(background, lines, service::make_settings(config));
    }
    static service::Forward forward_to(const std::string& device_id, const std::string& service_name) {
        service::Forward forward;
        forward.listen = {.host = "127.0.0.1", .port = 0, .path = {}};
        forward.device = device_id;
        forward.service = service_name;
        return forward;
    }
    HubSettings hub_settings(const std::string& connection_string) const {
        HubSettings settings;
        settings.connection_string = Secret(connection_string);
        settings.ca_file = certificates.ca_file;
        settings.address = "127.0.0.1";
        settings.port = hub_port;
        return settings;
    }
    static Endpoint closed_endpoint() { return BlockingListener().endpoint(); }

    BlockingSocket connect() { return BlockingSocket::connect((*proxy)->endpoints().at(0)); }
    struct Ends {
        BlockingSocket client, service;
    };
    /// A stream that runs; it has carried one byte.
    Ends open_stream() {
        auto client = connect();
        client.send("x");
        auto at_service = service.accept();
        EXPECT_EQ(at_service.receive(1), "x");
        return {std::move(client), std::move(at_service)};
    }
    bool eventually_logged(std::string_view text) const {
        return eventually([&] { return lines->contains(text); });
    }
    std::string logged() const {
        std::string all;
        for (const auto& line : lines->lines()) all += line + "\n";
        return all;
    }

    static constexpr auto device_key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    static constexpr auto service_key = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";
    SystemClock clock;
    TestCertificates certificates;
    BlockingListener service;
    std::shared_ptr<CapturedLog> lines = std::make_shared<CapturedLog>();
    Background background;
    std::uint16_t hub_port = 0;
    std::optional<RunningProgram<hub::StreamHub>> hub;
    std::optional<RunningProgram<device::DeviceProxy>> device;
    std::optional<RunningProgram<service::ServiceProxy>> proxy;
};

}  // namespace device_streams::test
