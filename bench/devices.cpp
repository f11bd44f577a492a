// ds-devices CREDENTIAL CA mqtt|mqtt-ws PORT COUNT KEEP_ALIVE: links bench-1 ... bench-COUNT to the hub on loopback, as
// device-proxy links one, and keeps them linked with a ping every KEEP_ALIVE seconds.
//
// CREDENTIAL is a file with the connection string of a policy that may connect devices. As ds-load, it prints `ready`
// when all are linked, waits for a line and then for the end of standard input. A link that ends before is an error.
#include "common/base/clock.hpp"
#include "common/device_client/link_life.hpp"
#include "common/device_client/link_settings.hpp"
#include "common/http/connection.hpp"
#include "common/tls/tls_stream.hpp"
#include "common/tunnel/features.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <arpa/inet.h>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <future>
#include <iostream>
#include <list>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace {

using namespace device_streams;
using device::LinkLife;
using device::LinkSettings;

constexpr std::size_t logins_at_once = 32;
// An address has 28,000 ports to dial from.
constexpr std::uint32_t devices_per_address = 10'000;

[[noreturn]] void fail(const std::exception_ptr& failure) {
    try {
        if (failure) std::rethrow_exception(failure);
        std::fprintf(stderr, "ds-devices: a link ended\n");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "ds-devices: %s\n", error.what());
    }
    _exit(1);
}

struct Arguments {
    std::string ca_file;
    LinkSettings settings;  // of all devices, but for their ids
    std::size_t count = 0;
};

class Fleet {
 public:
    Fleet(asio::io_context& io, Arguments arguments) : io_(io), arguments_(std::move(arguments)) {
        for (std::size_t i = 0; i < logins_at_once; ++i) link_next();
    }
    void until_linked() { all_linked_.get_future().wait(); }

 private:
    void link_next() {
        if (lives_.size() == arguments_.count) return;
        const auto number = static_cast<std::uint32_t>(lives_.size() + 1);
        auto settings = arguments_.settings;
        settings.identity.device_id = "bench-" + std::to_string(number);
        LinkLife::Handlers handlers;
        handlers.on_up = [this] {
            link_next();
            if (++linked_ == arguments_.count) all_linked_.set_value();
        };
        auto& life = lives_.emplace_back(io_.get_executor(), clock_, log_, std::move(handlers));
        auto open = [this, number, settings] { return open_link(number, settings); };
        auto login = [this, settings] { return device::make_login(settings, clock_, make_instance_id()); };
        asio::co_spawn(io_, life.run(std::move(open), std::move(login), settings.session), fail);
    }

    // Devices are machines of their own: none resumes another's TLS session.
    asio::awaitable<std::unique_ptr<ByteStream>> open_link(std::uint32_t number, LinkSettings settings) {
        const Endpoint named{.host = settings.hub.host_name, .port = settings.port, .path = {}};
        auto tls = std::make_unique<TlsStream>(dial(number), TlsContext::client(arguments_.ca_file), named.host);
        co_await tls->handshake();
        if (settings.transport == device::LinkTransport::mqtt) co_return tls;
        ws::ClientHandshake ask;
        ask.target = "/$iothub/websocket?iothub-no-client-cert=true";
        ask.subprotocol = "mqtt";
        auto upgraded = co_await upgrade(std::make_unique<http::Connection>(std::move(tls)), named, std::move(ask),
                                         {.role = ws::Role::client}, settings.hub.timeout, clock_);
        if (!upgraded.stream) throw Failure(Errc::hub_protocol, status_text(upgraded.answer));
        co_return std::move(upgraded.stream);
    }

    Socket dial(std::uint32_t number) {
        sockaddr_in from{};
        from.sin_family = AF_INET;
        from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (1 + number / devices_per_address) * 256);
        sockaddr_in to = from;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(arguments_.settings.port);
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int yes = 1;  // the port is chosen when the destination is known
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
        if (bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
            connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
            throw std::system_error(errno, std::generic_category(), "connecting to the hub");
        fcntl(fd, F_SETFL, O_NONBLOCK);
        return {io_.get_executor(), fd};
    }

    asio::io_context& io_;
    const Arguments arguments_;
    SystemClock clock_;
    Log log_{make_stderr_sink(LogFormat::human), LogLevel::warning};
    std::list<LinkLife> lives_;
    std::size_t linked_ = 0;
    std::promise<void> all_linked_;
};

Arguments parse(const std::vector<std::string>& words) {
    if (words.size() != 6) throw std::runtime_error("see the top of bench/devices.cpp for usage");
    std::ifstream file(words[0]);
    std::string line;
    if (!std::getline(file, line)) throw std::runtime_error("no credential in " + words[0]);
    Arguments arguments{.ca_file = words[1], .settings = {}, .count = std::stoull(words[4])};
    auto& settings = arguments.settings;
    settings.identity = iothub::parse_connection_string(line);
    settings.hub.host_name = settings.identity.host_name;
    settings.transport = words[2] == "mqtt-ws" ? device::LinkTransport::mqtt_ws : device::LinkTransport::mqtt;
    settings.port = static_cast<std::uint16_t>(std::stoi(words[3]));
    settings.keep_alive = std::chrono::seconds(std::stoi(words[5]));
    return arguments;
}

}  // namespace

int main(int argc, char** argv) try {
    auto arguments = parse({argv + 1, argv + argc});
    const rlimit descriptors{arguments.count + 100, arguments.count + 100};  // one for each device
    if (setrlimit(RLIMIT_NOFILE, &descriptors) != 0) throw std::runtime_error("so many open files are not allowed");
    asio::io_context io(1);
    Fleet fleet(io, std::move(arguments));
    std::thread([&] { io.run(); }).detach();
    fleet.until_linked();
    std::cout << "ready" << std::endl;
    std::string line;
    std::getline(std::cin, line);
    std::cout << std::endl;
    while (std::getline(std::cin, line)) {
    }
    _exit(0);  // as if all devices lost their power at once
} catch (...) {
    fail(std::current_exception());
}
