#include "device-proxy/device_proxy.hpp"

#include "background.hpp"
#include "blocking_socket.hpp"
#include "common/async/task_set.hpp"
#include "common/net/listener.hpp"
#include "common/net/socket_stream.hpp"
#include "hub/sqlite_registry.hpp"
#include "hub/stream_hub.hpp"
#include "stream_client.hpp"
#include "tests/support/certificates.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace device_streams::device {
namespace {

using namespace std::chrono_literals;
using namespace device_streams::test;

const std::string host_name = "hub.test.example";
const Secret device_key("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
const Secret other_key("ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=");

/// A listening socket whose queue is full: who connects waits for ever.
class BlackHole {
 public:
    BlackHole() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address = BlockingSocket::make_address({.host = "127.0.0.1", .port = 0, .path = {}});
        socklen_t size = sizeof address;
        ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), size);
        ::listen(fd_, 0);
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
        endpoint = {.host = "127.0.0.1", .port = ntohs(address.sin_port), .path = {}};
        while (fill(address)) {
        }
    }
    ~BlackHole() {
        for (const int fd : queue_) ::close(fd);
        ::close(fd_);
    }
    Endpoint endpoint;

 private:
    /// False once a connection is left waiting.
    bool fill(const sockaddr_in& address) {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        queue_.push_back(fd);
        ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        pollfd entry{.fd = fd, .events = POLLOUT, .revents = 0};
        return ::poll(&entry, 1, 100) == 1;
    }
    int fd_;
    std::vector<int> queue_;
};

/// Sends back what it receives, to any number of clients.
class EchoService {
 public:
    explicit EchoService(Background& background)
        : background_(background),
          tasks_(background.io.get_executor()),
          listener_(background.io.get_executor(), Endpoint{.host = "127.0.0.1", .port = 0, .path = {}}) {
        tasks_.spawn(accept());
    }
    ~EchoService() {
        tasks_.cancel_all();
        background_.wait_for(tasks_.until_empty());
    }
    const Endpoint& endpoint() const { return listener_.endpoint(); }

 private:
    asio::awaitable<void> accept() {
        const Log silent(std::make_shared<CapturedLog>());
        for (;;) {
            const auto strand = tasks_.make_strand();
            Socket socket = co_await listener_.accept(strand, clock_, silent);
            tasks_.spawn(strand, echo(SocketStream(std::move(socket))));
        }
    }
    static asio::awaitable<void> echo(SocketStream stream) {
        std::array<std::byte, 256> chunk;
        while (const auto size = co_await stream.read_some(chunk)) {
            const auto received = std::span(chunk).first(size);
            co_await write_copy(stream, received);
        }
    }

    Background& background_;
    SystemClock clock_;
    TaskSet tasks_;
    Listener listener_;
};

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
        auto registry = std::make_unique<hub::SqliteRegistry>(hub::SqliteRegistry::in_memory,
                                                              hub::SqliteRegistry::Mode::create_new, clock);
        const hub::KeyPair keys{device_key, other_key};
        background.wait_for(registry->add({"dev-01", ""}, keys));
        background.wait_for(registry->add({"dev-01", "tunnel"}, keys));
        background.wait_for(registry->add_policy("service", {.service_connect = true}, keys));
        hub::StreamHubSettings made;
        made.listen = {.host = "127.0.0.1", .port = hub_endpoint.port, .path = {}};
        made.mqtt_listen = Endpoint{.host = "127.0.0.1", .port = 0, .path = {}};
        made.public_host = host_name;
        made.certificate_file = certificates.certificate_file;
        made.key_file = certificates.key_file;
        made.limits.grace = 1s;
        made.limits.goodbye = 500ms;
        hub.emplace(background, hub_log, std::move(registry), made);
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
        made.streams.services = ServiceMap({{"ssh", service.endpoint()}}, std::nullopt);
        made.streams.hub = link.hub;
        made.streams.local_timeout = 300ms;
        return made;
    }
    void start_proxy() {
        proxy.emplace(background, log, settings, [this] { return settings; });
    }
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

TEST_F(DeviceProxyTest, CarriesAStreamToTheLocalService) {
    start_proxy();
    auto [stream, local] = open();
    expect_echo(stream, local, "hello");
    EXPECT_TRUE(log->contains("stream opened device=dev-01 stream=1a2b3c4d service=ssh"));
}

TEST_F(DeviceProxyTest, CarriesTheEndOfEachDirectionAlone) {
    start_proxy();
    auto [stream, local] = open();
    stream.send("request");
    stream.finish();
    EXPECT_EQ(local.receive(100), "request");
    local.send("late answer");
    local.shut_down_writing();
    EXPECT_EQ(stream.receive(100), "late answer");
    EXPECT_TRUE(eventually([this] { return log->contains("reason=clean"); }));
    EXPECT_TRUE(log->contains("bytes_to_service=7 bytes_from_service=11"));
}

TEST_F(DeviceProxyTest, WorksOverMqttWithoutWebSocket) {
    settings.link.over_websocket = false;
    settings.link.port = (*hub)->mqtt_endpoint()->port;
    start_proxy();
    auto [stream, local] = open();
    expect_echo(stream, local, "hello");
}

TEST_F(DeviceProxyTest, WorksAsAModule) {
    settings.link.identity.module_id = "tunnel";
    start_proxy();
    const auto opened = client().open("dev-01/modules/tunnel", "ssh.1a2b3c4d", 10);
    EXPECT_EQ(opened.accepted, "True");
}

TEST_F(DeviceProxyTest, RejectsAnUnknownService) {
    start_proxy();
    expect_rejected("telnet.1a2b3c4d");
    EXPECT_TRUE(log->contains("DS-401"));
}

TEST_F(DeviceProxyTest, RejectsWhenTheLocalServiceRefuses) {
    start_proxy();
    service.close();
    expect_rejected("ssh.1a2b3c4d");
    EXPECT_TRUE(log->contains("DS-402"));
}

TEST_F(DeviceProxyTest, RejectsABlackHoledServiceInTimeWhileOthersWork) {
    BlackHole black_hole;
    settings.streams.services = ServiceMap({{"hole", black_hole.endpoint}, {"ssh", service.endpoint()}}, std::nullopt);
    settings.streams.local_timeout = 2s;
    start_proxy();
    auto hole = client();
    auto rejected = hole.begin("dev-01", "hole.00000001", 10);
    auto [stream, local] = open();
    expect_echo(stream, local, "not held up");
    EXPECT_FALSE(log->contains("DS-403"));
    EXPECT_EQ(rejected.get().accepted, "False");
    EXPECT_TRUE(log->contains("DS-403"));
}

TEST_F(DeviceProxyTest, CarriesManyStreamsAtTheSameTime) {
    start_proxy();
    std::vector<std::pair<ServiceStream, BlockingSocket>> streams;
    for (int i = 0; i < 20; ++i) streams.push_back(open("ssh.000000" + std::to_string(10 + i)));
    for (auto& [stream, local] : streams) expect_echo(stream, local, std::string(1000, 'x'));
}

TEST_F(DeviceProxyTest, LogsARefusedCredentialAndKeepsTrying) {
    settings.link.identity.key = Secret("c29tZXRoaW5nIGVsc2UgdGhhdCBpcyBsb25nIGVub3U=");
    start_proxy();
    EXPECT_TRUE(eventually([this] { return log->contains("DS-207"); }));
    settings.link.identity.key = other_key;
    proxy->on_control([](DeviceProxy& program) { program.reload(); });
    EXPECT_TRUE(eventually([this] { return log->contains("linked to the hub"); }));
}

TEST_F(DeviceProxyTest, DoesNotTrustAnotherAuthority) {
    const TestCertificates other;
    settings.link.hub.tls = TlsContext::client(other.ca_file);
    start_proxy();
    EXPECT_TRUE(eventually([this] { return log->contains("DS-203"); }));
}

TEST_F(DeviceProxyTest, DoesNotTrustACertificateForAnotherName) {
    settings.link.hub.host_name = settings.link.identity.host_name = "other.example";
    start_proxy();
    EXPECT_TRUE(eventually([this] { return log->contains("DS-203"); }));
}

TEST_F(DeviceProxyTest, ComesBackWhenTheHubDoes) {
    start_proxy();
    {
        auto [stream, local] = open();
        hub.reset();
        EXPECT_EQ(local.how_it_ends(), "reset");
    }
    EXPECT_TRUE(eventually([this] { return log->contains("DS-201"); }));
    start_hub();
    auto [stream, local] = open();
    expect_echo(stream, local, "back again");
}

TEST_F(DeviceProxyTest, RenewsItsTokenUnderARunningStream) {
    settings.link.token_lifetime = 1s;
    start_proxy();
    auto [stream, local] = open();
    EXPECT_TRUE(eventually([this] { return log->contains("link to the hub renewed"); }));
    expect_echo(stream, local, "untouched");
    auto [second, second_local] = open("ssh.00000002", 0);
    expect_echo(second, second_local, "on the new link");
    EXPECT_FALSE(log->contains("warning"));
}

TEST_F(DeviceProxyTest, LosesNoRequestWhileTheLinkIsRenewed) {
    EchoService echo(background);
    settings.streams.services = ServiceMap({{"ssh", echo.endpoint()}}, std::nullopt);
    start_proxy();
    auto asking = client();
    EXPECT_EQ(asking.open("dev-01", "ssh.00000000", 10).accepted, "True");
    for (int renewal = 1; renewal <= 20; ++renewal) {
        settings.link.keep_alive = std::chrono::seconds(20 + renewal % 2);
        proxy->on_control([](DeviceProxy& program) { program.reload(); });
        for (int i = 0; i < 10; ++i) {
            auto opened = asking.open("dev-01", "ssh.000000" + std::to_string(10 + i), 0);
            ASSERT_EQ(opened.accepted, "True") << opened.status << " in renewal " << renewal;
            opened.stream->send("here");
            ASSERT_EQ(opened.stream->receive(4), "here") << "in renewal " << renewal;
        }
    }
}

TEST_F(DeviceProxyTest, LeavesTheHubAndLetsStreamsRun) {
    start_proxy();
    auto [stream, local] = open();
    proxy->on_control([](DeviceProxy& program) { program.stop_accepting(); });
    EXPECT_TRUE(eventually([this] { return client().open("dev-01", "ssh.00000002", 0).status == 404; }));
    expect_echo(stream, local, "still here");
}

TEST_F(DeviceProxyTest, CancelEndsStreamsOnBothSides) {
    start_proxy();
    auto [stream, local] = open();
    expect_echo(stream, local, "hello");
    proxy->stop();
    EXPECT_EQ(local.how_it_ends(), "reset");
    EXPECT_NE(stream.how_it_ends(), "end");
}

TEST_F(DeviceProxyTest, ResetsTheStreamWhenTheLocalServiceResets) {
    start_proxy();
    auto [stream, local] = open();
    expect_echo(stream, local, "hello");
    local.reset();
    EXPECT_NE(stream.how_it_ends(), "end");
    EXPECT_TRUE(eventually([this] { return log->contains("reason=DS-501"); }));
}

TEST_F(DeviceProxyTest, UsesNewServicesAfterAReload) {
    start_proxy();
    auto [stream, local] = open();
    BlockingListener rdp;
    settings.streams.services = ServiceMap({{"rdp", rdp.endpoint()}}, std::nullopt);
    proxy->on_control([](DeviceProxy& program) { program.reload(); });
    expect_rejected("ssh.00000002");
    EXPECT_EQ(client().open("dev-01", "rdp.00000003", 10).accepted, "True");
    expect_echo(stream, local, "still here");
}

TEST_F(DeviceProxyTest, LogsNoSecrets) {
    start_proxy();
    auto [stream, local] = open();
    expect_echo(stream, local, "payload-text");
    proxy->stop();
    for (const auto* secret : {"payload-text", "SharedAccessSignature", "MDEyMzQ1", "Bearer", "/bridges/", "$auth"})
        EXPECT_FALSE(log->contains(secret)) << secret;
}

}  // namespace
}  // namespace device_streams::device
