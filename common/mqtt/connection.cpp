#include "common/mqtt/connection.hpp"

#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <array>

namespace device_streams::mqtt {

namespace {

// Then other connections of the thread have their turn.
constexpr std::size_t bytes_per_turn = 64 * 1024;
constexpr std::size_t packets_per_turn = 16;
constexpr std::size_t written_at_once = 256;  // Transport::try_write takes no more

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

void Connection::limit(PacketRate rate, Clock& clock) {
    clock_ = &clock;
    budget_.emplace(rate, clock.now());
}

asio::awaitable<void> Connection::read(Receiver& receiver) {
    for (;;) {
        const auto given = take_turn(receiver, bytes_per_turn, packets_per_turn);
        if (given == Given::last || needs_writer()) co_return;
        co_await asio::post(asio::use_awaitable);
        if (given == Given::all)
            co_await stream_.wait_readable();
        else if (budget_ && !budget_->has_some(clock_->now()))
            co_await clock_->sleep_until(budget_->when());
    }
}

bool Connection::take_in(Receiver& receiver, std::size_t most) {
    return take_turn(receiver, most, most) != Given::last;
}

Connection::Given Connection::take_turn(Receiver& receiver, std::size_t most_bytes, std::size_t most_packets) {
    auto given = give(receiver, most_packets);
    for (std::size_t taken = 0; given == Given::all && taken < most_bytes;) {
        const auto size = stream_.try_read(reading_room());
        if (!size) return Given::all;
        if (*size == 0) {
            receiver.ended();
            return Given::last;
        }
        taken += *size;
        receiver.heard();
        decoder_.feed(reading_room().first(*size));
        given = give(receiver, most_packets);
    }
    return given;
}

// The whole packets that were read: all of them, or some as there is no room for more now.
Connection::Given Connection::give(Receiver& receiver, std::size_t& most_packets) {
    while (decoder_.buffered() > 0) {
        if (most_packets == 0 || (budget_ && !budget_->has_some(clock_->now()))) return Given::some;
        const auto before = decoder_.buffered();
        const auto packet = decoder_.next();
        if (!packet) break;
        if (budget_) budget_->spend(before - decoder_.buffered());
        --most_packets;
        if (!receiver.take(*packet)) return Given::last;
    }
    return Given::all;
}

bool Connection::put(const Packet& packet) {
    auto bytes = encode(packet);
    if (outbox_bytes_ == 0 && bytes.size() <= written_at_once && stream_.try_write(bytes)) return true;
    if (outbox_bytes_ + bytes.size() > outbox_limit) return false;
    outbox_bytes_ += bytes.size();
    outbox_.push_back(std::move(bytes));
    if (filled_) filled_->wake();
    return true;
}

asio::awaitable<void> Connection::flush() {
    return write_out(Writer(&(has_writer_ = true)), false);
}

asio::awaitable<void> Connection::write() {
    filled_ = std::make_unique<Event>(strand_);
    return write_out(Writer(&(has_writer_ = true)), true);
}

asio::awaitable<void> Connection::write_out(Writer /*as long as this runs*/, bool for_ever) {
    for (;;) {
        while (!outbox_.empty()) {
            const auto bytes = std::move(outbox_.front());
            outbox_.pop_front();
            co_await write_copy(stream_, bytes);
            outbox_bytes_ -= bytes.size();
        }
        if (!for_ever) co_return;
        co_await filled_->wait();
    }
}

}  // namespace device_streams::mqtt
