#include "common/mqtt/connection.hpp"

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <array>

namespace device_streams::mqtt {

namespace {

// Then other connections of the thread have their turn.
constexpr std::size_t bytes_per_turn = 64 * 1024;

// What is read is decoded before anything else runs, so all connections of a thread can share the room.
WritableBytes reading_room() {
    thread_local std::array<std::byte, 16 * 1024> room;
    return room;
}

}  // namespace

asio::awaitable<std::optional<Packet>> Connection::next() {
    for (;;) {
        if (auto packet = decoder_.next()) co_return packet;
        const auto size = stream_.try_read(reading_room());
        if (size == 0) co_return std::nullopt;
        if (size) {
            decoder_.feed(reading_room().first(*size));
        } else {
            co_await stream_.wait_readable();
        }
    }
}

asio::awaitable<void> Connection::read(Receiver& receiver) {
    while (take_in(receiver, bytes_per_turn)) {
        co_await asio::post(asio::use_awaitable);
        co_await stream_.wait_readable();
    }
}

bool Connection::take_in(Receiver& receiver, std::size_t most) {
    if (!give(receiver)) return false;
    for (std::size_t taken = 0; taken < most;) {
        const auto size = stream_.try_read(reading_room());
        if (!size) return true;
        if (*size == 0) {
            receiver.ended();
            return false;
        }
        taken += *size;
        receiver.heard();
        decoder_.feed(reading_room().first(*size));
        if (!give(receiver)) return false;
    }
    return true;
}

// The whole packets that were read.
bool Connection::give(Receiver& receiver) {
    while (const auto packet = decoder_.next())
        if (!receiver.take(*packet)) return false;
    return true;
}

bool Connection::put(const Packet& packet) {
    auto bytes = encode(packet);
    if (outbox_bytes_ + bytes.size() > outbox_limit) return false;
    outbox_bytes_ += bytes.size();
    outbox_.push_back(std::move(bytes));
    filled_.wake();
    return true;
}

asio::awaitable<void> Connection::flush() {
    while (!outbox_.empty()) {
        const auto bytes = std::move(outbox_.front());
        outbox_.pop_front();
        co_await write_copy(stream_, bytes);
        outbox_bytes_ -= bytes.size();
    }
}

asio::awaitable<void> Connection::write() {
    for (;;) {
        co_await flush();
        co_await filled_.wait();
    }
}

}  // namespace device_streams::mqtt
