#pragma once

#include "common/async/event.hpp"
#include "common/net/byte_stream.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <algorithm>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace device_streams::test {

inline std::vector<std::byte> bytes_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

inline std::string text_of(ReadableBytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::string from_hex(std::string_view hex) {
    std::string text;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        text.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    return text;
}

inline std::string to_hex(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const char c : text) {
        hex.push_back(digits[static_cast<unsigned char>(c) >> 4]);
        hex.push_back(digits[static_cast<unsigned char>(c) & 15]);
    }
    return hex;
}

/// A transport in memory whose other end is the test: it decides what arrives in which pieces and what is taken.
class FakeTransport final : public Transport {
 public:
    explicit FakeTransport(asio::io_context& io) : readable_(io.get_executor()), writable_(io.get_executor()) {}

    // The peer's side.
    void push(std::string_view piece) {
        incoming_.push_back(std::string(piece));
        readable_.wake();
    }
    void push_bytewise(std::string_view text) {
        for (const char c : text) push(std::string_view(&c, 1));
    }
    void end() {
        ended_ = true;
        readable_.wake();
    }
    void fail(CloseReason close_reason) {
        failure_ = close_reason;
        readable_.wake();
        writable_.wake();
        if (const auto on_lost = on_lost_.lock()) (*on_lost)(failure());
    }
    void give_up() noexcept override {
        given_up = true;
        failure_once_read_ = CloseReason::lost;
        readable_.wake();
    }
    /// What was pushed can still be read.
    void fail_once_read(CloseReason close_reason) { failure_once_read_ = close_reason; }
    void accept_writes(bool accept) {
        accepts_ = accept;
        writable_.wake();
    }
    /// Takes that many more writes and then none.
    void hold_after(int writes) { writes_until_hold_ = writes; }
    std::size_t unread() const {
        std::size_t size = 0;
        for (const auto& piece : incoming_) size += piece.size();
        return size;
    }

    std::optional<std::size_t> try_read(WritableBytes into) override {
        ++reads;
        rooms.push_back(into.size());
        if (incoming_.empty() && failure_once_read_) failure_ = std::exchange(failure_once_read_, {});
        if (failure_) throw StreamError(*failure_, "the fake transport failed");
        if (incoming_.empty()) ++dry_reads;
        if (incoming_.empty()) return ended_ ? std::optional<std::size_t>(0) : std::nullopt;
        auto& piece = incoming_.front();
        const auto size = std::min(piece.size(), into.size());
        std::memcpy(into.data(), piece.data(), size);
        piece.erase(0, size);
        if (piece.empty()) incoming_.pop_front();
        return size;
    }
    asio::awaitable<void> wait_readable() override {
        while (incoming_.empty() && !ended_ && !failure_ && !given_up) co_await readable_.wait();
    }
    asio::awaitable<void> write_all(OutBytes out) override {
        ++writes_started;
        struct Guard {
            int& count;
            ~Guard() { --count; }
        } const guard{++writes_under_way_};
        while (!accepts_ && !failure_) co_await writable_.wait();
        if (failure_) throw StreamError(*failure_, "the fake transport failed");
        sent += text_of(out.bytes);
        write_sizes.push_back(out.bytes.size());
        if (writes_until_hold_ > 0 && --writes_until_hold_ == 0) accepts_ = false;
    }
    bool try_write(ReadableBytes bytes) override {
        if (bytes.size() > 256) throw std::logic_error("try_write takes at most 256 bytes");
        if (writes_under_way_ > 0) throw std::logic_error("try_write during write_all");
        if (failure_) throw StreamError(*failure_, "the fake transport failed");
        if (!accepts_) return false;
        sent += text_of(bytes);
        return true;
    }
    asio::awaitable<void> finish() override { co_return; }
    bool half_close() const override { return false; }
    bool ended() const override { return ended_ && incoming_.empty(); }
    LossMonitor watch(const asio::any_io_executor&, OnLost on_lost) override {
        watched = true;
        auto watching = std::make_shared<OnLost>(std::move(on_lost));
        if (failure_) (*watching)(failure());
        on_lost_ = watching;
        return watching;
    }
    asio::awaitable<void> close(CloseReason close_reason) override {
        closed = close_reason;
        co_return;
    }
    std::size_t undelivered() override { return still_delivering ? 1 : 0; }
    void abort(CloseReason reason) noexcept override { aborted = reason; }

    std::string sent;
    std::vector<std::size_t> write_sizes;
    int writes_started = 0;
    int reads = 0;
    std::vector<std::size_t> rooms;  ///< that were offered by the reads
    int dry_reads = 0;               ///< that found nothing
    bool watched = false;
    bool given_up = false;
    bool still_delivering = false;
    std::optional<CloseReason> closed;
    std::optional<CloseReason> aborted;

 private:
    std::exception_ptr failure() const {
        return std::make_exception_ptr(StreamError(*failure_, "the fake transport failed"));
    }

    std::deque<std::string> incoming_;
    bool ended_ = false;
    bool accepts_ = true;
    int writes_until_hold_ = 0;
    int writes_under_way_ = 0;
    std::optional<CloseReason> failure_, failure_once_read_;
    Event readable_, writable_;
    std::weak_ptr<OnLost> on_lost_;
};

/// A coroutine under way in a test.
template <typename T>
class Running {
 public:
    bool done() const { return state_->done; }
    void cancel() { state_->signal.emit(asio::cancellation_type::terminal); }
    /// Throws what the coroutine threw, or logic_error while it still waits.
    T get() {
        if (!state_->done) throw std::logic_error("the coroutine still waits");
        if (state_->failure) std::rethrow_exception(state_->failure);
        if constexpr (!std::is_void_v<T>) return std::move(*state_->value);
    }

 private:
    friend class Driver;
    using Value = std::conditional_t<std::is_void_v<T>, char, T>;
    struct State {
        bool done = false;
        std::exception_ptr failure;
        std::optional<Value> value;
        asio::cancellation_signal signal;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// Runs coroutines as far as they go without waiting for anything outside the test.
class Driver {
 public:
    asio::io_context io;

    void poll() {
        io.restart();
        io.poll();
    }
    /// `beside`: something else that is ready to run right behind the first step of `work`.
    template <typename T>
    Running<T> start(asio::awaitable<T> work, const std::function<void()>& beside = {}) {
        Running<T> running;
        asio::co_spawn(io, keep(std::move(work), running.state_),
                       asio::bind_cancellation_slot(running.state_->signal.slot(), [](std::exception_ptr) {}));
        if (beside) asio::post(io, beside);
        poll();
        return running;
    }
    template <typename T>
    T run(asio::awaitable<T> work) {
        return start(std::move(work)).get();
    }

 private:
    template <typename T, typename State>
    static asio::awaitable<void> keep(asio::awaitable<T> work, std::shared_ptr<State> state) {
        try {
            if constexpr (std::is_void_v<T>) {
                co_await std::move(work);
            } else {
                state->value.emplace(co_await std::move(work));
            }
        } catch (...) {
            state->failure = std::current_exception();
        }
        state->done = true;
    }
};

}  // namespace device_streams::test
