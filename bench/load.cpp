// ds-load: moves counted, patterned bytes through whatever stands between a client and a server of its own.
//
//   ds-load serve PORT                      serves clients on 127.0.0.1 until killed
//   ds-load up|down HOST PORT BYTES [check] one stream; prints seconds; `check` verifies every byte of the pattern
//   ds-load ping HOST PORT COUNT            1-byte round trips; prints p50 and p99 in microseconds
//   ds-load open HOST PORT COUNT            stream set-up plus one byte each way; prints p50 and p99 in microseconds
#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::size_t block = 256 * 1024;

struct Order {
    char what = 0;  // 'u'p, 'd'own, 'e'cho
    std::uint64_t bytes = 0;
};

struct Connection {
    explicit Connection(int descriptor) : fd(descriptor) {
        const int yes = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { close(fd); }

    void send_all(const void* data, std::size_t size) const {
        for (const auto* at = static_cast<const char*>(data); size > 0;) {
            const auto sent = send(fd, at, size, MSG_NOSIGNAL);
            if (sent <= 0) throw std::runtime_error("the stream broke while sending");
            at += sent;
            size -= static_cast<std::size_t>(sent);
        }
    }
    std::size_t receive(void* into, std::size_t size) const {
        const auto got = recv(fd, into, size, 0);
        if (got <= 0) throw std::runtime_error("the stream ended early");
        return static_cast<std::size_t>(got);
    }
    void receive_all(void* into, std::size_t size) const {
        for (auto* at = static_cast<char*>(into); size > 0;) {
            const auto got = receive(at, size);
            at += got;
            size -= got;
        }
    }
    int fd;
};

// Byte n of a stream is a function of n alone, with a period that no chunk size divides.
unsigned char pattern(std::uint64_t n) {
    return static_cast<unsigned char>((n * 131 + n / 251) & 0xff);
}

void send_pattern(const Connection& to, std::uint64_t bytes, bool check) {
    std::vector<unsigned char> room(block);
    for (std::uint64_t done = 0; done < bytes;) {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(block, bytes - done));
        for (std::size_t i = 0; check && i < size; ++i) room[i] = pattern(done + i);
        to.send_all(room.data(), size);
        done += size;
    }
}

void receive_pattern(const Connection& from, std::uint64_t bytes, bool check) {
    std::vector<unsigned char> room(block);
    for (std::uint64_t done = 0; done < bytes;) {
        const auto size =
            from.receive(room.data(), static_cast<std::size_t>(std::min<std::uint64_t>(block, bytes - done)));
        for (std::size_t i = 0; check && i < size; ++i)
            if (room[i] != pattern(done + i)) throw std::runtime_error("wrong byte at " + std::to_string(done + i));
        done += size;
    }
}

void serve_one(int fd) try {
    const Connection client(fd);
    Order order;
    client.receive_all(&order, sizeof order);
    const bool check = std::isupper(static_cast<unsigned char>(order.what)) != 0;
    switch (std::tolower(static_cast<unsigned char>(order.what))) {
        case 'u':
            receive_pattern(client, order.bytes, check);
            client.send_all("k", 1);
            break;
        case 'd':
            send_pattern(client, order.bytes, check);
            break;
        case 'e':
            for (char byte = 0; order.bytes > 0; --order.bytes) {
                client.receive_all(&byte, 1);
                client.send_all(&byte, 1);
            }
            break;
        default:
            throw std::runtime_error("unknown order");
    }
    char rest = 0;
    while (recv(client.fd, &rest, 1, 0) > 0) {
    }
} catch (const std::exception& error) {
    std::fprintf(stderr, "ds-load: %s\n", error.what());
}

sockaddr_in address_of(const std::string& host, const std::string& port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
    if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1)
        throw std::runtime_error("HOST must be an IPv4 address");
    return address;
}

[[noreturn]] void serve(const std::string& port) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    const int yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const auto address = address_of("127.0.0.1", port);
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(listener, 4096) != 0)
        throw std::runtime_error(std::string("cannot listen: ") + std::strerror(errno));
    for (;;) {
        const int fd = accept(listener, nullptr, nullptr);
        if (fd >= 0) std::thread(serve_one, fd).detach();
    }
}

int dial(const sockaddr_in& address) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error(std::string("cannot connect: ") + std::strerror(errno));
    return fd;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void transfer(bool up, const sockaddr_in& address, std::uint64_t bytes, bool check) {
    const Connection server(dial(address));
    Order order{.what = up ? 'u' : 'd', .bytes = bytes};
    if (check) order.what = static_cast<char>(std::toupper(order.what));
    const auto start = std::chrono::steady_clock::now();
    server.send_all(&order, sizeof order);
    if (up) {
        send_pattern(server, bytes, check);
        char done = 0;
        server.receive_all(&done, 1);
    } else {
        receive_pattern(server, bytes, check);
    }
    std::printf("%.6f\n", seconds_since(start));
}

void round_trip(const Connection& server) {
    char byte = 'x';
    server.send_all(&byte, 1);
    server.receive_all(&byte, 1);
}

void print_percentiles(std::vector<double> seconds) {
    std::ranges::sort(seconds);
    auto at = [&](double part) {
        return 1e6 * seconds[static_cast<std::size_t>(part * static_cast<double>(seconds.size() - 1))];
    };
    std::printf("%.1f %.1f\n", at(0.50), at(0.99));
}

void ping(const sockaddr_in& address, std::uint64_t count) {
    const Connection server(dial(address));
    const Order order{.what = 'e', .bytes = count};
    server.send_all(&order, sizeof order);
    std::vector<double> seconds(count);
    for (auto& each : seconds) {
        const auto start = std::chrono::steady_clock::now();
        round_trip(server);
        each = seconds_since(start);
    }
    print_percentiles(std::move(seconds));
}

void open_streams(const sockaddr_in& address, std::uint64_t count) {
    std::vector<double> seconds(count);
    for (auto& each : seconds) {
        const auto start = std::chrono::steady_clock::now();
        const Connection server(dial(address));
        const Order order{.what = 'e', .bytes = 1};
        server.send_all(&order, sizeof order);
        round_trip(server);
        each = seconds_since(start);
    }
    print_percentiles(std::move(seconds));
}

}  // namespace

int main(int argc, char** argv) try {
    const std::vector<std::string> args(argv + 1, argv + argc);
    if (args.size() == 2 && args[0] == "serve") serve(args[1]);
    if (args.size() < 4) throw std::runtime_error("see the top of bench/load.cpp for usage");
    const auto address = address_of(args[1], args[2]);
    const auto number = std::stoull(args[3]);
    const bool check = args.size() > 4 && args[4] == "check";
    if (args[0] == "up" || args[0] == "down") transfer(args[0] == "up", address, number, check);
    if (args[0] == "ping") ping(address, number);
    if (args[0] == "open") open_streams(address, number);
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "ds-load: %s\n", error.what());
    return 1;
}
