#pragma once

#include "common/tunnel/features.hpp"
#include "service-proxy/service_proxy.hpp"
#include "tests/component/support/blocking_socket.hpp"
#include "tests/component/support/scripted_hub.hpp"

#include <gtest/gtest.h>

namespace device_streams::service {

using namespace std::chrono_literals;
using test::BlockingSocket;

inline constexpr auto key = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

inline http::Response granting(std::uint16_t port, const std::string& features = "") {
    http::Response answer;
    answer.headers = {{"iothub-streaming-is-accepted", "True"},
                      {"iothub-streaming-url", "wss://localhost:" + std::to_string(port) + "/bridges/x"},
                      {"iothub-streaming-auth-token", "aaa.bbb.ccc"}};
    if (!features.empty()) answer.headers.add(std::string(features_header), features);
    return answer;
}

inline http::Response refusing(int status, const std::string& body = "") {
    http::Response answer;
    answer.status = status;
    answer.body = body;
    return answer;
}

// A service-proxy with one forward to pump-17/ssh, and a hub that does what each test says.
struct ScriptedHubTest : testing::Test {
    using Script = test::ScriptedHub::Script;

    void start_hub(Script script, std::uint16_t port = 0) {
        hub.emplace(background, certificates, std::move(script), port);
        hub_port = hub->endpoint().port;
    }
    ServiceProxyConfig make_config(const std::string& host_name = "localhost") {
        ServiceProxyConfig config;
        config.hub.connection_string =
            Secret("HostName=" + host_name + ";SharedAccessKeyName=service;SharedAccessKey=" + key);
        config.hub.ca_file = certificates.ca_file;
        config.hub.address = "127.0.0.1";
        config.hub.port = hub_port;
        Forward forward;
        forward.listen = {.host = "127.0.0.1", .port = 0, .path = {}};
        forward.device = "pump-17";
        config.forwards = {forward};
        return config;
    }
    void start_proxy(const ServiceProxyConfig& config) { proxy.emplace(background, lines, make_settings(config)); }
    void start_proxy() { start_proxy(make_config()); }
    BlockingSocket connect() { return BlockingSocket::connect((*proxy)->endpoints().at(0)); }
    // The client of a stream that never comes is dropped and the log says why.
    void expect_no_stream(const std::string& code) {
        auto client = connect();
        EXPECT_EQ(client.how_it_ends(), "reset");
        EXPECT_TRUE(test::eventually([&] { return lines->contains("no stream: " + code); })) << logged();
    }
    std::string logged() const {
        std::string all;
        for (const auto& line : lines->lines()) all += line + "\n";
        return all;
    }
    void TearDown() override {
        proxy.reset();
        hub.reset();
        EXPECT_FALSE(lines->contains(key));
        EXPECT_FALSE(lines->contains("SharedAccessSignature"));
        EXPECT_FALSE(lines->contains("aaa.bbb.ccc"));
    }

    test::Background background;
    test::TestCertificates certificates;
    std::shared_ptr<test::CapturedLog> lines = std::make_shared<test::CapturedLog>();
    std::uint16_t hub_port = 0;
    std::optional<test::ScriptedHub> hub;
    std::optional<test::RunningProgram<ServiceProxy>> proxy;
    std::atomic<int> posts = 0, upgrades_behind_a_post = 0;
};

}  // namespace device_streams::service
