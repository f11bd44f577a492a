#pragma once

#include "device-proxy/device_proxy.hpp"
#include "hub/registry/sqlite_registry.hpp"
#include "hub/stream_hub.hpp"
#include "tests/component/support/background.hpp"
#include "tests/component/support/blocking_socket.hpp"
#include "tests/component/support/stream_client.hpp"
#include "tests/support/certificates.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace device_streams::device {

using namespace std::chrono_literals;
using namespace device_streams::test;

inline const std::string host_name = "hub.test.example";
inline const Secret device_key("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
inline const Secret other_key("ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=");

/// A hub of ours, a device-proxy on it, and a service client; everything on loopback.
class DeviceProxyTest : public testing::Test {
 protected:
    DeviceProxyTest() {
        start_hub();
        settings = make_settings();
    }

    void TearDown() override {
        if (!HasFailure()) return;
        for (const auto& line : log->lines()) std::fprintf(stderr, "device-proxy: %s\n", line.c_str());
        for (const auto& line : hub_log->lines()) std::fprintf(stderr, "hub: %s\n", line.c_str());
    }

    void start_hub() {
        const hub::KeyPair keys{device_key, other_key};
        auto open_registry = [&](hub::Registry::OnRevoked on_revoked) {
            auto registry = std::make_unique<hub::SqliteRegistry>(
                hub::SqliteRegistry::in_memory, hub::SqliteRegistry::Mode::create_new, clock, std::move(on_revoked));
            background.wait_for(registry->add({"dev-01", ""}, keys));
            background.wait_for(registry->add({"dev-01", "tunnel"}, keys));
            background.wait_for(registry->add_policy("service", {.service_connect = true}, keys, {hub::AllowRule()}));
            return registry;
        };
        hub::HubConfig made;
        made.name = "hub";
        made.listen = Endpoint{.host = "127.0.0.1", .port = hub_endpoint.port, .path = {}};
        made.mqtt_listen = Endpoint{.host = "127.0.0.1", .port = 0, .path = {}};
        made.public_url = {.host = host_name, .port = 0, .path = {}};
        made.host_name = host_name;
        made.certificate = certificates.certificate_file;
        made.key = certificates.key_file;
        made.limits.presence.offline_grace = 1s;
        made.limits.relay.goodbye = 500ms;
        hub.emplace(background, hub_log, open_registry, made);
        hub_endpoint = (*hub)->endpoint();
    }
    DeviceProxySettings make_settings() const {
        DeviceProxySettings made;
        auto& link = made.link;
        link.hub.host_name = link.identity.host_name = host_name;
        link.hub.connect_host = "127.0.0.1";
        link.hub.tls = TlsContext::client(certificates.ca_file);
        link.identity.device_id = "dev-01";
        link.identity.key = device_key;
        link.port = hub_endpoint.port;
        link.backoff = {.first = 20ms, .longest = 100ms};
        made.streams.services = ServiceMap({{"ssh", {service.endpoint()}}}, std::nullopt);
        made.streams.hub = link.hub;
        made.streams.local_timeout = 300ms;
        return made;
    }
    void start_proxy() { proxy.emplace(background, log, settings); }
    StreamClient client() {
        return {background,
                {.tls = TlsContext::client(certificates.ca_file), .host = host_name, .port = hub_endpoint.port},
                device_key};
    }
    /// Opens a stream and takes the connection that it makes to the local service.
    std::pair<ServiceStream, BlockingSocket> open(const std::string& name = "ssh.1a2b3c4d", int connect_timeout = 10) {
        auto opened = client().open("dev-01", name, connect_timeout);
        EXPECT_EQ(opened.status, 200);
        EXPECT_EQ(opened.accepted, "True");
        return {std::move(*opened.stream), service.accept()};
    }
    void expect_rejected(const std::string& name) {
        const auto opened = client().open("dev-01", name, 10);
        EXPECT_EQ(opened.status, 200);
        EXPECT_EQ(opened.accepted, "False");
    }
    static void expect_echo(ServiceStream& stream, BlockingSocket& local, const std::string& text) {
        stream.send(text);
        EXPECT_EQ(local.receive(text.size()), text);
        local.send(text + "!");
        EXPECT_EQ(stream.receive(text.size() + 1), text + "!");
    }

    SystemClock clock;
    TestCertificates certificates{{host_name, "127.0.0.1"}};
    BlockingListener service;
    std::shared_ptr<CapturedLog> log = std::make_shared<CapturedLog>();
    std::shared_ptr<CapturedLog> hub_log = std::make_shared<CapturedLog>();
    Endpoint hub_endpoint{.host = "127.0.0.1", .port = 0, .path = {}};
    DeviceProxySettings settings;
    Background background;
    std::optional<RunningProgram<hub::StreamHub>> hub;
    std::optional<RunningProgram<DeviceProxy>> proxy;
};

}  // namespace device_streams::device
