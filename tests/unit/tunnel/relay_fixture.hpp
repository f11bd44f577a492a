#pragma once

#include "common/tunnel/relay.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_stream.hpp"

#include <gtest/gtest.h>

namespace device_streams {

using test::bytes_of;
using test::make_memory_streams;
using test::ManualClock;
using test::MemoryStream;
using test::poll;
using test::Running;
using test::text_of;
using namespace std::chrono_literals;

/// A client and a server joined by a relay: client <-> left = relay = right <-> server.
struct Relay : testing::Test {
    void start(bool half_close = true, const StreamLimits& stream_limits = {}) {
        start_between(half_close, half_close, stream_limits);
    }
    void start_between(bool left_half_close, bool half_close, const StreamLimits& stream_limits = {}) {
        limits.stream = stream_limits;
        std::tie(client, left) = make_memory_streams(io.get_executor(), left_half_close);
        std::tie(right, server) = make_memory_streams(io.get_executor(), half_close);
        running.emplace(io, relay(*left, *right, limits, clock));
        poll(io);
    }
    void send(MemoryStream& from, std::string_view text) {
        ASSERT_TRUE(from.try_write(bytes_of(text)));
        poll(io);
    }
    std::string receive(MemoryStream& at) {
        std::string all;
        std::array<std::byte, 1024> room;
        while (const auto size = at.try_read(room)) {
            if (*size == 0) return all + "|end";
            all += text_of(std::span(room).first(*size));
        }
        poll(io);
        return all;
    }
    void pass(Clock::duration time) {
        clock.advance(time);
        poll(io);
    }
    void expect_time_up(const std::string& limit) {
        ASSERT_TRUE(running->done());
        EXPECT_EQ(running->get().close_reason, CloseReason::time_up);
        EXPECT_EQ(running->get().cause, limit);
        EXPECT_EQ(left->closed_with, CloseReason::time_up);
        EXPECT_EQ(right->closed_with, CloseReason::time_up);
    }
    void finish(MemoryStream& stream) {
        Running<void> step(io, stream.finish());
        poll(io);
    }

    RelayLimits limits{.linger = 5s, .goodbye = 2s};
    asio::io_context io{1};
    ManualClock clock;
    std::unique_ptr<MemoryStream> client, left, right, server;
    std::optional<Running<RelayResult>> running;
};

}  // namespace device_streams
