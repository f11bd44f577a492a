// ds-target [ADDRESS:]PORT: the service at the far end of every chain. Serves the port, of 127.0.0.1 unless an address
// is given, until it is ended; what goes wrong on a stream is told on standard error.
#include "stream.hpp"

#include <atomic>
#include <cstdio>
#include <exception>
#include <thread>

namespace {

using namespace bench;

void echo(const Stream& client, std::size_t size) {
    std::vector<char> message(size);
    while (client.receive_all(message.data(), size)) client.send_all(message.data(), size);
}

void transfer(const Stream& client, const Order& order) {
    client.send_byte();
    client.receive_byte();
    std::exception_ptr failure;
    std::thread sender([&] {
        try {
            send_bytes(client, order, false);
        } catch (...) {
            failure = std::current_exception();
        }
    });
    try {
        receive_bytes(client, order, true);
    } catch (...) {
        shutdown(client.fd(), SHUT_RDWR);  // frees the sender
        sender.join();
        throw;
    }
    sender.join();
    if (failure) std::rethrow_exception(failure);
    client.send_byte();
    client.finish();
}

void stall(const Stream& client) try {
    for (const std::vector<char> zeros(block);;) client.send_all(zeros.data(), zeros.size());
} catch (const std::exception&) {  // the client has gone, which is how this ends
}

void serve(int fd) try {
    const Stream client(fd);
    Order order;
    if (!client.receive_all(&order, sizeof order)) return;  // somebody only looked whether we are here
    if (order.task == Task::echo)
        echo(client, order.message);
    else if (order.task == Task::stall)
        stall(client);
    else
        transfer(client, order);
} catch (const std::exception& error) {
    std::fprintf(stderr, "ds-target: %s\n", error.what());
}

int drain_until_closed(const std::string& port) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    const int yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const auto address = parse_address(port);
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(listener, 4096) != 0)
        throw std::runtime_error(std::string("cannot listen: ") + std::strerror(errno));
    return listener;
}

// Threads wait for streams in advance, as starting one takes long on a busy machine: whoever takes a stream sees to it
// that others wait.
[[noreturn]] void work(int listener) {
    constexpr int wanted = 32;
    static std::atomic<int> waiting = 0;
    for (++waiting;;) {
        const int fd = accept(listener, nullptr, nullptr);
        if (--waiting < wanted) std::thread(work, listener).detach();
        if (fd >= 0) serve(fd);
        ++waiting;
    }
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 2) throw std::runtime_error("usage: ds-target [ADDRESS:]PORT");
    work(drain_until_closed(argv[1]));
} catch (const std::exception& error) {
    std::fprintf(stderr, "ds-target: %s\n", error.what());
    return 1;
}
