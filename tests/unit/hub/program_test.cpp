#include "hub/program.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

using namespace std::chrono_literals;

TEST(KeysForRestart, AreThoseThatARunningHubCannotChange) {
    HubConfig running, fresh;
    fresh.name = "hub2";
    fresh.listen.port = 8443;
    fresh.mqtt_listen = Endpoint{"::", 8883, {}};
    fresh.state_directory = "/elsewhere";
    fresh.admin_socket = "/elsewhere/admin.sock";
    fresh.threads = 7;
    fresh.drain = 7s;
    fresh.log.format = LogFormat::json;
    const std::vector<std::string> all{"name",         "listen",  "mqtt_listen", "state_directory",
                                       "admin_socket", "threads", "drain",       "log.format"};
    EXPECT_EQ(keys_for_restart(running, fresh), all);
}

TEST(KeysForRestart, AreNoneForWhatReloadTakes) {
    HubConfig running, fresh;
    fresh.host_name = "other.example";
    fresh.public_url.port = 8443;
    fresh.certificate = fresh.key = "other.pem";
    fresh.offline_grace = fresh.linger = fresh.handshake_timeout = 7s;
    fresh.limits.connections_per_address = 7;
    fresh.log.level = LogLevel::debug;
    EXPECT_TRUE(keys_for_restart(running, fresh).empty());
}

}  // namespace
}  // namespace device_streams::hub
