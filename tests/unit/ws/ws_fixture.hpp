#pragma once

#include "common/ws/ws_stream.hpp"
#include "tests/unit/ws/frames.hpp"

#include <gtest/gtest.h>

namespace device_streams::ws {

using namespace test_frames;
using test::bytes_of;
using test::text_of;
using test::to_hex;

/// A server's stream over a transport that the test plays.
class WsFixture : public testing::Test {
 protected:
    explicit WsFixture(WsOptions options = {.role = Role::server, .message_limit = 32 * 1024, .half_close = false},
                       std::string_view early = {})
        : role(options.role), stream(std::unique_ptr<Transport>(transport), options, bytes_of(early)) {}

    /// One try_read; "-" when nothing is there, "0" at the end, else the payload in brackets.
    std::string try_read(std::size_t room_size = 64 * 1024) {
        std::vector<std::byte> room(room_size);
        const auto size = stream.try_read(room);
        if (!size) return "-";
        return *size == 0 ? "0" : "[" + text_of(ReadableBytes(room).first(*size)) + "]";
    }
    CloseReason close_reason_of_read() {
        try {
            try_read();
        } catch (const StreamError& on_lost) {
            return on_lost.close_reason();
        }
        ADD_FAILURE() << "the read did not fail";
        return CloseReason::clean;
    }
    /// How a wait that goes on for ever was ended.
    CloseReason close_reason_of(test::Running<void>& waiting) {
        driver.poll();
        try {
            waiting.get();
        } catch (const StreamError& on_lost) {
            return on_lost.close_reason();
        }
        ADD_FAILURE() << "it goes on";
        return CloseReason::time_up;
    }
    /// Writes `text` with that much room in front of it.
    asio::awaitable<void> write(std::string text, std::size_t headroom = wanted_headroom) {
        auto room = bytes_of(std::string(headroom, '.') + text);
        const OutBytes out{WritableBytes(room).subspan(headroom), headroom};
        co_await stream.write_all(out);
    }
    std::vector<SentFrame> sent() const { return parse_sent(transport->sent, role); }
    std::string sent_payload() const {
        std::string all;
        for (const auto& frame : sent())
            if (frame.opcode == Opcode::binary) all += frame.payload;
        return all;
    }

    test::Driver driver;
    test::FakeTransport* transport = new test::FakeTransport(driver.io);
    Role role;
    WsStream stream;
};

}  // namespace device_streams::ws
