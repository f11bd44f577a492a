// ds-load: loads a chain that ends at ds-target, and measures it from outside.
//
//   ds-load transfer PORT STREAMS UP DOWN [check]  bytes of all streams together; prints the seconds of each stream
//   ds-load ping PORT BYTES COUNT                  messages there and back on one stream; prints the seconds of each
//   ds-load open PORT COUNT AT_ONCE                streams up to the first byte back; prints the seconds of each
//   ds-load hold PORT STREAMS                      streams that carried a byte each way and are idle from then on
//   ds-load stall PORT STREAMS                     streams that are full in both directions, as nobody reads them
//
// PORT may be ADDRESS:PORT; it is one of 127.0.0.1 otherwise.
//
// In all of them: prints `ready` once it is connected, waits for a line, does the work, prints the figures in one line
// and closes when standard input ends. So whoever started it can look at the chain's processes in between.
#include "stream.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <poll.h>
#include <thread>

namespace {

using namespace bench;
using Seconds = std::vector<double>;

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Runs work(0) ... work(count - 1) in threads of their own; a failure ends the program.
void at_once(std::size_t count, const std::function<void(std::size_t)>& work) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i)
        threads.emplace_back([&, i] {
            try {
                work(i);
            } catch (const std::exception& error) {  // the others may never end
                std::fprintf(stderr, "ds-load: %s\n", error.what());
                _exit(1);
            }
        });
    for (auto& thread : threads) thread.join();
}

void wait_for_start() {
    std::cout << "ready" << std::endl;
    std::string line;
    if (!std::getline(std::cin, line)) throw std::runtime_error("was not told to start");
}

void report(const Seconds& seconds) {
    for (const auto each : seconds) std::printf("%.7f ", each);
    std::printf("\n");
    std::fflush(stdout);
    std::string line;
    while (std::getline(std::cin, line)) {
    }
}

void run_transfer(const sockaddr_in& chain, std::size_t streams, const Order& all) {
    std::vector<Stream> open;
    std::vector<Order> orders;
    for (std::size_t i = 0; i < streams; ++i) {
        orders.push_back({.task = all.task, .up = all.up / streams, .down = all.down / streams, .stream = i});
        open.emplace_back(chain).send_all(&orders[i], sizeof(Order));
        open[i].receive_byte();
    }
    wait_for_start();
    Seconds seconds(streams);
    const auto start = std::chrono::steady_clock::now();
    at_once(streams, [&](std::size_t i) {
        open[i].send_byte();
        at_once(2, [&](std::size_t way) {
            if (way == 0)
                send_bytes(open[i], orders[i], true);
            else
                receive_bytes(open[i], orders[i], false);
        });
        open[i].receive_byte();
        seconds[i] = seconds_since(start);
    });
    report(seconds);
    for (const auto& stream : open) stream.finish();
}

void send_order(const Stream& stream, std::size_t message) {
    const Order order{.task = Task::echo, .message = static_cast<std::uint32_t>(message)};
    stream.send_all(&order, sizeof order);
}

void round_trip(const Stream& stream, std::vector<char>& message, char content) {
    message.assign(message.size(), content);
    stream.send_all(message.data(), message.size());
    message.assign(message.size(), static_cast<char>(~content));
    if (!stream.receive_all(message.data(), message.size())) throw std::runtime_error("a stream ended early");
    if (std::ranges::any_of(message, [&](char c) { return c != content; }))
        throw std::runtime_error("another message came back than was sent");
}

void run_ping(const sockaddr_in& chain, std::size_t size, std::size_t count) {
    std::vector<char> message(size);
    const Stream stream(chain);
    send_order(stream, size);
    round_trip(stream, message, 0);
    wait_for_start();
    Seconds seconds(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto start = std::chrono::steady_clock::now();
        round_trip(stream, message, static_cast<char>(i));
        seconds[i] = seconds_since(start);
    }
    report(seconds);
    stream.finish();
}

void run_open(const sockaddr_in& chain, std::size_t count, std::size_t threads) {
    wait_for_start();
    Seconds seconds(count);
    std::atomic<std::size_t> next = 0;
    at_once(threads, [&](std::size_t) {
        std::vector<char> byte(1);
        for (std::size_t i = next++; i < count; i = next++) {
            const auto start = std::chrono::steady_clock::now();
            const Stream stream(chain);
            send_order(stream, 1);
            round_trip(stream, byte, static_cast<char>(i));
            seconds[i] = seconds_since(start);
            stream.finish();
        }
    });
    report(seconds);
}

void run_hold(const sockaddr_in& chain, std::size_t streams) {
    std::vector<Stream> open;
    std::vector<char> byte(1);
    for (std::size_t i = 0; i < streams; ++i) {
        send_order(open.emplace_back(chain), 1);
        round_trip(open[i], byte, static_cast<char>(i));
    }
    wait_for_start();
    report({});
    for (const auto& stream : open) stream.finish();
}

// Sends on all of them until none took a byte for a second.
void fill(const std::vector<Stream>& streams) {
    const std::vector<char> zeros(block);
    std::vector<pollfd> sockets;
    sockets.reserve(streams.size());
    for (const auto& stream : streams) sockets.push_back({.fd = stream.fd(), .events = POLLOUT, .revents = 0});
    while (poll(sockets.data(), sockets.size(), 1000) > 0) {
        for (const auto& ready : sockets) {
            if (ready.revents == 0) continue;
            if (send(ready.fd, zeros.data(), zeros.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
                throw std::runtime_error(std::string("a stalled stream broke: ") + std::strerror(errno));
        }
    }
}

void run_stall(const sockaddr_in& chain, std::size_t streams) {
    std::vector<Stream> open;
    const Order order{.task = Task::stall};
    for (std::size_t i = 0; i < streams; ++i) open.emplace_back(chain).send_all(&order, sizeof order);
    fill(open);
    wait_for_start();
    report({});
}

}  // namespace

int main(int argc, char** argv) try {
    const std::vector<std::string> args(argv + 1, argv + argc);
    if (args.size() < 3) throw std::runtime_error("see the top of bench/load.cpp for usage");
    const auto chain = parse_address(args[1]);
    const auto number = [&](std::size_t i) { return std::stoull(args.at(i)); };
    if (args[0] == "transfer")
        run_transfer(chain, number(2),
                     {.task = args.size() > 5 ? Task::check : Task::transfer, .up = number(3), .down = number(4)});
    else if (args[0] == "ping")
        run_ping(chain, number(2), number(3));
    else if (args[0] == "open")
        run_open(chain, number(2), number(3));
    else if (args[0] == "hold")
        run_hold(chain, number(2));
    else if (args[0] == "stall")
        run_stall(chain, number(2));
    else
        throw std::runtime_error("unknown work: " + args[0]);
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "ds-load: %s\n", error.what());
    return 1;
}
