#include "tests/component/support/local_services.hpp"
#include "tests/component/support/scripted_proxy.hpp"
#include "tests/component/support/service_proxy_fixture.hpp"
#include "tests/component/support/tunnel_fixture.hpp"

#include <algorithm>

namespace device_streams {
namespace {

using namespace std::chrono_literals;
using service::ScriptedHubTest;
using test::ScriptedProxy;

// No name that any resolver knows: only the proxy can lead there.
constexpr auto nowhere = "hub.invalid";

// The whole tunnel, with an HTTP or HTTPS proxy in front of the hub for both programs.
struct TunnelThroughProxy : test::TunnelTest, testing::WithParamInterface<bool> {
    TunnelThroughProxy() {
        auto with_device = device_config();
        with_device.hub = proxied(with_device.hub);
        device.reset();
        device.emplace(background, lines, device::make_settings(with_device));
        auto with_service = proxy_config();
        with_service.hub = proxied(with_service.hub);
        proxy.reset();
        start_proxy(with_service);
    }
    ~TunnelThroughProxy() override {
        proxy->stop();
        device->stop();
    }
    HubSettings proxied(HubSettings settings) const {
        settings.address = nowhere;
        settings.http_proxy = http_proxy.url();
        settings.http_proxy->endpoint.host = "localhost";
        settings.http_proxy->credentials = Secret("anna:open sesame");
        settings.http_proxy_ca_file = proxy_certificates.ca_file;
        return settings;
    }
    bool all_asked_for_the_hub() const {
        const auto heads = http_proxy.heads();
        return !heads.empty() && std::ranges::all_of(heads, [](const std::string& head) {
            return head.starts_with("CONNECT hub.invalid:") &&
                   head.find("\r\nProxy-Authorization: Basic YW5uYTpvcGVuIHNlc2FtZQ==\r\n") != std::string::npos;
        });
    }
    test::TestCertificates proxy_certificates;
    ScriptedProxy http_proxy{background, GetParam() ? &proxy_certificates : nullptr};
};
INSTANTIATE_TEST_SUITE_P(Schemes, TunnelThroughProxy, testing::Bool(),
                         [](const auto& test) { return std::string(test.param ? "Https" : "Http"); });

TEST_P(TunnelThroughProxy, CarriesStreamsBothWaysToTheirEnds) {
    auto [client, at_service] = open_stream();
    const std::string much(4'000'000, 'a');
    std::jthread sending([&client = client, &much] {
        client.send(much);
        client.shut_down_writing();
    });
    EXPECT_EQ(at_service.receive(much.size() + 1), much);
    at_service.send(much);
    at_service.shut_down_writing();
    EXPECT_EQ(client.receive(much.size() + 1), much);
    EXPECT_TRUE(all_asked_for_the_hub());
    EXPECT_GE(http_proxy.heads().size(), 3u);  // link, leg of the device, request and leg of the service
    EXPECT_TRUE(lines->contains(GetParam() ? "way=https://localhost:" : "way=http://localhost:")) << logged();
    EXPECT_FALSE(lines->contains("sesame"));
}

TEST_P(TunnelThroughProxy, TellsAResetApartFromAnEnd) {
    auto [client, at_service] = open_stream();
    client.reset();
    EXPECT_EQ(at_service.how_it_ends(), "reset");
}

TEST_P(TunnelThroughProxy, AStalledClientStopsItsSenderOnly) {
    auto [client, at_service] = open_stream();
    at_service.send_until_blocked();
    auto [other, other_at_service] = open_stream();
    other_at_service.send("still here");
    EXPECT_EQ(other.receive(10), "still here");
}

// What goes wrong on the way, as a user of service-proxy reads it.
struct ProxyFailures : ScriptedHubTest {
    service::ServiceProxyConfig config_with(const ProxyUrl& url) {
        auto config = make_config("localhost");
        config.hub.address = nowhere;
        config.hub.port = 443;
        config.hub.http_proxy = url;
        config.hub.http_proxy_ca_file = certificates.ca_file;
        return config;
    }
    void expect(const std::string& code, const ProxyUrl& url, std::chrono::milliseconds limit = 20s) {
        auto config = config_with(url);
        config.open.hub = limit;
        lines = std::make_shared<test::CapturedLog>();
        start_proxy(config);
        expect_no_stream(code);
        EXPECT_TRUE(lines->contains(url.to_string())) << logged();
        proxy.reset();
    }
    void expect_after(const std::string& answer, const std::string& code) {
        ScriptedProxy http_proxy(background, nullptr, ScriptedProxy::answering(answer));
        expect(code, http_proxy.url());
    }
};

TEST_F(ProxyFailures, AnswersOfTheProxyAreToldApart) {
    expect_after("HTTP/1.1 407 Auth\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n", "DS-214");
    expect_after("HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nnever", "DS-215");
    expect_after("HTTP/1.1 503 Service Unavailable\r\n\r\n", "DS-216");
    expect_after("SSH-2.0-OpenSSH_9.2\r\n", "DS-217");
    expect_after("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'), "DS-217");
}

TEST_F(ProxyFailures, AProxyThatClosesIsNotTheHub) {
    const auto close = [](ByteStream& client, const std::string&) -> asio::awaitable<void> {
        co_await client.finish();
    };
    ScriptedProxy http_proxy(background, nullptr, close);
    expect("DS-217", http_proxy.url());
}

TEST_F(ProxyFailures, AProxyThatStallsIsGivenUp) {
    const auto stall = [](ByteStream& client, const std::string&) -> asio::awaitable<void> {
        std::array<std::byte, 16> room;
        co_await client.read_some(room);
    };
    ScriptedProxy http_proxy(background, nullptr, stall);
    expect("DS-212", http_proxy.url(), 2s);
    ScriptedProxy with_tls(background, &certificates, stall);
    expect("DS-212", with_tls.url(), 3s);
}

TEST_F(ProxyFailures, ADeadProxyIsNotADeadHub) {
    test::BlackHole full;  // nobody else can get its port meanwhile
    expect("DS-211", {.kind = ProxyKind::http, .endpoint = full.endpoint}, 1s);
    expect("DS-211", {.kind = ProxyKind::http, .endpoint = {.host = "proxy.invalid", .port = 3128, .path = {}}});
}

TEST_F(ProxyFailures, AProxyWithoutTrustIsToldNothing) {
    const test::TestCertificates strangers;
    ScriptedProxy http_proxy(background, &strangers);
    expect("DS-213", http_proxy.url());
    EXPECT_TRUE(http_proxy.heads().empty());
    ScriptedProxy without_tls(background);
    expect("DS-213", {.kind = ProxyKind::https, .endpoint = without_tls.url().endpoint}, 2s);
}

TEST_F(ProxyFailures, ATunnelToSomebodyElseIsNotTheHub) {
    const test::TestCertificates strangers;
    test::ScriptedHub impostor(background, strangers,
                               [](http::Connection&, int) -> asio::awaitable<void> { co_return; });
    ScriptedProxy http_proxy(background);
    auto config = config_with(http_proxy.url());
    config.hub.port = impostor.endpoint().port;
    start_proxy(config);
    expect_no_stream("DS-203");
}

TEST_F(ProxyFailures, ExceptionsAreReachedWithoutTheProxy) {
    start_hub([](http::Connection& connection, int) -> asio::awaitable<void> {
        co_await connection.read_request();
        co_await connection.write_response(service::refusing(404));
    });
    auto config = make_config("localhost");
    config.hub.http_proxy =
        ProxyUrl{.kind = ProxyKind::http, .endpoint = {.host = "proxy.invalid", .port = 1, .path = {}}};
    config.hub.no_proxy = NoProxy("127.0.0.0/8");
    start_proxy(config);
    expect_no_stream("DS-309");
}

}  // namespace
}  // namespace device_streams
