#include "common/net/dial.hpp"
#include "common/net/socket_stream.hpp"
#include "hub/admin/admin_server.hpp"
#include "hub/admin/admin_session.hpp"
#include "hub/admin/state_directory.hpp"
#include "hub/registry/sqlite_registry.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace device_streams::hub {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;

/// An admin server on a real Unix socket.
class AdminSocketTest : public ::testing::Test {
 protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "admin-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        directory = pattern;
        endpoint.path = directory / "admin.sock";
        start();
    }
    void TearDown() override {
        stop();
        fs::remove_all(directory);
    }
    void start(const std::string& host_name = "hub1.example.com") {
        AdminCommands commands(registry, {host_name, "https://" + host_name + ":443"});
        server = std::make_unique<AdminServer>(io.get_executor(), endpoint.path, commands, clock, Log(sink));
        server->start();
    }
    void stop() {
        if (!server) return;
        test::Running<void> done(io, server->stop());
        io.restart();
        while (!done.done()) io.run_one();
        server.reset();
    }
    std::optional<json> ask(const json& request) {
        auto answer = test::run(io, ask_running_hub(endpoint, request, clock));
        if (answer) answer = result_of(std::move(*answer));
        return answer;
    }

    asio::io_context io{1};
    SystemClock clock;
    SqliteRegistry registry{SqliteRegistry::in_memory, SqliteRegistry::Mode::create_new, clock};
    std::shared_ptr<test::CapturedLog> sink = std::make_shared<test::CapturedLog>();
    fs::path directory;
    Endpoint endpoint;
    std::unique_ptr<AdminServer> server;
};

TEST_F(AdminSocketTest, AnswersOneCommandAfterAnother) {
    const auto added = ask({{"command", "device add"}, {"device", "pump-17"}});
    EXPECT_THAT(added->at("connectionString").get<std::string>(), HasSubstr("DeviceId=pump-17"));
    EXPECT_EQ(ask({{"command", "device list"}})->at(0).at("device"), "pump-17");
}

TEST_F(AdminSocketTest, CarriesFailuresToTheCommandLine) {
    try {
        ask({{"command", "device remove"}, {"device", "stranger"}});
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::not_found);
    }
}

TEST_F(AdminSocketTest, CarriesAnswersOfAnySize) {
    constexpr int many = 2000;
    auto add_many = [this]() -> asio::awaitable<bool> {
        for (int i = 0; i < many; ++i) {
            iothub::Target target{"device-with-a-rather-long-name-" + std::to_string(i), {}};
            co_await registry.add(std::move(target), make_key_pair());
        }
        co_return true;
    };
    test::run(io, add_many());
    EXPECT_EQ(ask({{"command", "device list"}})->size(), many);
}

TEST_F(AdminSocketTest, IsForTheOwnerOnly) {
    EXPECT_EQ(fs::status(endpoint.path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(AdminSocketTest, LeavesNoSocketFileBehind) {
    stop();
    EXPECT_FALSE(fs::exists(endpoint.path));
    EXPECT_FALSE(ask({{"command", "device list"}}));
}

TEST_F(AdminSocketTest, TakesThePlaceOfAHubThatDied) {
    stop();
    {
        // As after a crash: the file is there, and nobody listens on it.
        const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        endpoint.path.copy(address.sun_path, sizeof address.sun_path - 1);
        ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        close(fd);
    }
    start();
    EXPECT_TRUE(ask({{"command", "device list"}}));
}

TEST_F(AdminSocketTest, ServesOnUntilTheNextHubTakesThePath) {
    const json show{{"command", "devicestream show"}};
    server->yield();
    EXPECT_THAT(ask(show)->dump(), HasSubstr("hub1.example.com"));
    auto elder = std::move(server);
    start("hub2.example.com");
    EXPECT_THAT(ask(show)->dump(), HasSubstr("hub2.example.com"));
    std::swap(server, elder);
    stop();
    server = std::move(elder);
    EXPECT_THAT(ask(show)->dump(), HasSubstr("hub2.example.com"));
}

TEST_F(AdminSocketTest, StaysWithAHubThatHasNotYielded) {
    auto elder = std::move(server);
    EXPECT_THROW(start("hub2.example.com"), Failure);
    server = std::move(elder);
    EXPECT_TRUE(ask({{"command", "device list"}}));
}

// The kernel has taken the connection and the request, as that of a program that stands still.
TEST_F(AdminSocketTest, IsGivenUpWhenItSaysNothing) {
    const Listener silent(io.get_executor(), *parse_endpoint("unix:" + (directory / "silent").string()));
    test::ManualClock still;
    test::Running<std::optional<json>> asking(io, ask_running_hub(silent.endpoint(), {{"command", "x"}}, still));
    while (still.sleepers() == 0) test::poll(io);
    still.advance(1min);
    io.restart();
    while (!asking.done()) io.run_one();
    try {
        asking.get();
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::hub_not_running);
    }
}

TEST_F(AdminSocketTest, RefusesAPathThatNoSocketCanHave) {
    const auto path = directory / std::string(120, 'x');
    const AdminCommands commands(registry, {"hub1.example.com", ""});
    try {
        AdminServer refused(io.get_executor(), path, commands, clock, Log(sink));
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::listen_failed);
        EXPECT_THAT(failure.detail(), HasSubstr("107 bytes"));
    }
}

TEST_F(AdminSocketTest, GoesOnWhenAClientLeavesInTheMiddle) {
    auto leave = [this]() -> asio::awaitable<bool> {
        auto socket = co_await dial(endpoint, clock);
        SocketStream stream(std::move(socket));
        const std::string half = "{\"command\": ";
        co_await write_text(stream, half);
        co_return true;
    };
    for (int i = 0; i < 3; ++i) test::run(io, leave());
    EXPECT_TRUE(ask({{"command", "device list"}}));
}

TEST_F(AdminSocketTest, EndsSessionsThatWaitWhenItStops) {
    auto linger = [this]() -> asio::awaitable<std::string> {
        auto socket = co_await dial(endpoint, clock);
        SocketStream stream(std::move(socket));
        co_return co_await read_line(stream, 100);
    };
    test::Running<std::string> client(io, linger());
    test::poll(io);
    stop();
    io.restart();
    while (!client.done()) io.run_one();
    EXPECT_TRUE(client.failure() || client.get().empty());
}

}  // namespace
}  // namespace device_streams::hub
