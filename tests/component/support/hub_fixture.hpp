#pragma once

#include "common/async/join.hpp"
#include "common/iothub/sas_token.hpp"
#include "common/tunnel/features.hpp"
#include "hub/registry/sqlite_registry.hpp"
#include "hub/stream_hub.hpp"
#include "tests/component/support/background.hpp"
#include "tests/component/support/hub_device_client.hpp"
#include "tests/component/support/hub_leg_client.hpp"
#include "tests/component/support/hub_service_client.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/coroutine.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace device_streams::hub {
using namespace std::chrono_literals;

/// A stream request that does not wait for a device that is offline.
inline const http::Headers no_wait{{"iothub-streaming-connect-timeout-in-seconds", "0"},
                                   {"iothub-streaming-response-timeout-in-seconds", "20"}};
/// A stream request whose service can end one direction alone.
inline const http::Headers announcing{{"iothub-streaming-features", "half-close"}};

/// A hub in this process on ports of its own, with the device dev-01 and the policy `service`. The hub runs on
/// DS_TEST_THREADS threads; its clients run on the test's, so a test reads as a plain program.
class HubTest : public testing::Test {
 protected:
    HubTest() {
        config.name = "hub1";
        config.listen = Endpoint{.host = "127.0.0.1", .port = 0, .path = {}};
        config.mqtt_listen = config.listen;
        config.public_url = {.host = "localhost", .port = 0, .path = {}};
        config.host_name = "localhost";
        config.certificate = certificates.certificate_file;
        config.key = certificates.key_file;
        config.limits.relay.goodbye = 2s;
        tls = TlsContext::client(certificates.ca_file);
    }
    ~HubTest() override {
        if (hub) hub->stop();
        expect_no_secrets_in_log();
    }

    void start_hub() {
        auto open_registry = [this](Registry::OnRevoked on_revoked) {
            return std::make_unique<SqliteRegistry>(registry_file, SqliteRegistry::Mode::create_new, clock,
                                                    std::move(on_revoked));
        };
        hub.emplace(background, lines, open_registry, config);
        device_key = add_device({"dev-01", {}});
        Permissions permissions;
        permissions.service_connect = true;
        service_key =
            background
                .wait_for(stream_hub().registry().add_policy("service", permissions, make_key_pair(), {AllowRule()}))
                .keys.primary;
        address = {.tls = tls,
                   .host = "localhost",
                   .port = stream_hub().endpoint().port,
                   .mqtt_port = stream_hub().mqtt_endpoint().value().port};
    }
    Secret add_device(const iothub::Target& target) {
        return background.wait_for(stream_hub().registry().add(target, make_key_pair())).keys()->primary;
    }
    StreamHub& stream_hub() { return **hub; }

    /// Runs a client's coroutine to its end, 30 s at most.
    template <typename T>
    T run(asio::awaitable<T> work) {
        auto running = start(std::move(work));
        return finish(running);
    }
    void run(asio::awaitable<void> work) {
        test::Running<void> running(io, with_timeout(std::move(work), 30s, clock));
        turn_until(running);
        running.get();
    }
    /// Starts a client's coroutine; it goes on while others run.
    template <typename T>
    std::unique_ptr<test::Running<T>> start(asio::awaitable<T> work) {
        return std::make_unique<test::Running<T>>(io, with_timeout(std::move(work), 30s, clock));
    }
    template <typename T>
    T finish(std::unique_ptr<test::Running<T>>& running) {
        turn_until(*running);
        return std::move(running->get());
    }

    Secret device_token(const iothub::Target& target, const Secret& key) {
        const auto resource = iothub::device_resource("localhost", target.device_id, target.module_id);
        return iothub::make_sas_token(resource, key, clock.unix_seconds() + 3600);
    }
    hub_clients::DeviceClient::Options device_options() {
        hub_clients::DeviceClient::Options options;
        options.target = {"dev-01", {}};
        options.token = device_token(options.target, device_key);
        return options;
    }
    /// As of a device-proxy, at each call of another process.
    hub_clients::DeviceClient::Options device_proxy_options() {
        auto options = device_options();
        options.client_type = announce("device-proxy/0.1.0", {device_hop_features, make_instance_id()});
        return options;
    }
    /// Logged in and subscribed.
    std::unique_ptr<hub_clients::DeviceClient> online_device(hub_clients::DeviceClient::Options options) {
        auto device = std::make_unique<hub_clients::DeviceClient>(address, std::move(options));
        EXPECT_EQ(run(device->log_in()), 0);
        run(device->subscribe());
        return device;
    }
    std::unique_ptr<hub_clients::DeviceClient> online_device() { return online_device(device_options()); }
    std::unique_ptr<hub_clients::ServiceClient> service_client() {
        auto token = iothub::make_sas_token("localhost", service_key, clock.unix_seconds() + 3600, "service");
        return std::make_unique<hub_clients::ServiceClient>(address, std::move(token));
    }

    /// Asks, accepts, and gives both tickets before any leg is there.
    struct Tickets {
        hub_clients::Ticket device, service;
    };
    Tickets open_stream(hub_clients::DeviceClient& device, hub_clients::ServiceClient& service,
                        const std::string& name = "ssh.0a1b2c3d", const http::Headers& extra = {}) {
        auto asking = start(service.ask("dev-01", name, extra));
        const auto request = run(device.next_request());
        run(device.answer(200, request.request_id));
        const auto response = finish(asking);
        EXPECT_EQ(response.status, 200);
        return {{request.url, request.token}, hub_clients::ticket_of(response)};
    }
    std::unique_ptr<hub_clients::LegClient> open_leg(const hub_clients::Ticket& ticket) {
        auto leg = std::make_unique<hub_clients::LegClient>(address);
        EXPECT_EQ(run(leg->open(ticket)).status, 101);
        return leg;
    }
    struct Legs {
        std::unique_ptr<hub_clients::LegClient> device, service;
    };
    /// A stream that runs.
    Legs joined_stream(hub_clients::DeviceClient& device, hub_clients::ServiceClient& service) {
        const auto tickets = open_stream(device, service);
        Legs legs;
        legs.device = open_leg(tickets.device);
        legs.service = open_leg(tickets.service);
        return legs;
    }
    bool logged(std::string_view text) const { return lines->contains(text); }
    bool eventually_logged(std::string_view text) const {
        return test::eventually([&] { return logged(text); });
    }
    /// One leg left while it waited: the hub says so, and has no place for the other, whose ticket this is.
    void expect_left_before_the_other(const hub_clients::Ticket& other) {
        EXPECT_TRUE(eventually_logged("left before the other came")) << whole_log();
        hub_clients::LegClient late(address);
        EXPECT_EQ(run(late.open(other)).status, 404);
    }
    std::string whole_log() const {
        std::string all;
        for (const auto& line : lines->lines()) all += line + "\n";
        return all;
    }

    SystemClock clock;
    test::TestCertificates certificates;
    std::shared_ptr<TlsContext> tls;
    test::Background background;
    std::shared_ptr<test::CapturedLog> lines = std::make_shared<test::CapturedLog>();
    asio::io_context io{1};
    HubConfig config;
    std::string registry_file = SqliteRegistry::in_memory;
    hub_clients::HubAddress address;
    Secret device_key, service_key;
    std::optional<test::RunningProgram<StreamHub>> hub;

 private:
    template <typename Running>
    void turn_until(Running& running) {
        while (!running.done()) {
            io.restart();
            io.run_one();
        }
    }
    void expect_no_secrets_in_log() const {
        for (const char* secret : {"SharedAccessSignature", "sig=", "eyJ0eXAi", "$auth", "Bearer "})
            EXPECT_FALSE(lines->contains(secret)) << secret << "\n" << whole_log();
    }
};

}  // namespace device_streams::hub
