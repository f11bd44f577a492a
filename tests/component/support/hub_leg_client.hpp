#pragma once

#include "common/iothub/stream_request.hpp"
#include "common/ws/frame.hpp"
#include "common/ws/handshake.hpp"
#include "tests/component/support/hub_address.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <sys/socket.h>
#include <vector>

namespace device_streams::hub_clients {

/// One leg of a stream, frame by frame: what tests want to see is exactly what a WebSocket library hides.
class LegClient {
 public:
    explicit LegClient(const HubAddress& address) : address_(address) {}

    struct Wish {
        std::string subprotocol;
        http::Headers extra;
    };
    asio::awaitable<http::Response> open(Ticket ticket) { return open(std::move(ticket), Wish()); }
    asio::awaitable<http::Response> open(Ticket ticket, Wish wish) {
        const auto url = iothub::parse_stream_url(ticket.url);
        if (!url) throw std::runtime_error("no stream URL: " + ticket.url);
        auto transport = co_await dial_tls(address_, url->port, &fd_);
        http::Connection connection(std::move(transport));
        auto answer = co_await upgrade(connection, url->target, ticket, std::move(wish));
        if (answer.status == 101) transport_ = connection.release(buffer_);
        co_return answer;
    }
    /// The same on a connection that was used before.
    asio::awaitable<http::Response> open_on(http::Connection& connection, Ticket ticket) {
        const auto url = iothub::parse_stream_url(ticket.url);
        auto answer = co_await upgrade(connection, url->target, ticket, Wish());
        if (answer.status == 101) transport_ = connection.release(buffer_);
        co_return answer;
    }

    /// On a connection whose stream request became the leg.
    void open_at_once(http::Connection& connection) { transport_ = connection.release(buffer_); }

    struct Frame {
        ws::FrameHeader header;
        std::vector<std::byte> payload;
        /// Of a Close; 0: without.
        int close_code() const {
            return payload.size() < 2 ? 0 : std::to_integer<int>(payload[0]) << 8 | std::to_integer<int>(payload[1]);
        }
        std::string close_reason() const {
            return payload.size() < 2
                       ? ""
                       : std::string(reinterpret_cast<const char*>(payload.data()) + 2, payload.size() - 2);
        }
    };
    asio::awaitable<void> send(ws::Opcode opcode, std::string_view payload, bool fin = true) {
        std::vector<std::byte> bytes(ws::longest_header + payload.size());
        std::memcpy(bytes.data() + ws::longest_header, payload.data(), payload.size());
        const ws::FrameHeader header{
            opcode, fin, payload.size(),
            ws::MaskingKey{std::byte{0x37}, std::byte{0xfa}, std::byte{0x21}, std::byte{0x3d}}};
        auto body = std::span(bytes).subspan(ws::longest_header);
        ws::apply_mask(body, *header.mask, 0);
        const auto size = ws::write_header_before(bytes.data() + ws::longest_header, header);
        const auto frame = std::span(bytes).subspan(ws::longest_header - size);
        co_await write_copy(*transport_, frame);
    }
    asio::awaitable<void> send_raw(std::string bytes) { co_await write_text(*transport_, std::move(bytes)); }
    /// As messages of `message` bytes.
    asio::awaitable<void> send_data(std::string data, std::size_t message) {
        for (std::size_t at = 0; at < data.size(); at += message)
            co_await send(ws::Opcode::binary, std::string_view(data).substr(at, message));
    }
    asio::awaitable<void> send_close(std::optional<int> code) {
        std::string payload;
        if (code) payload = {static_cast<char>(*code >> 8), static_cast<char>(*code & 0xff)};
        co_await send(ws::Opcode::close, payload);
    }

    /// The next frame; nullopt: the connection ended.
    asio::awaitable<std::optional<Frame>> receive() {
        std::size_t size = 0;
        auto header = ws::read_header(buffer_, size);
        while (!header || buffer_.size() < size + header->length) {
            if (!co_await fill()) co_return std::nullopt;
            header = ws::read_header(buffer_, size);
        }
        Frame frame{*header, {}};
        const auto begin = buffer_.begin() + static_cast<std::ptrdiff_t>(size);
        const auto end = begin + static_cast<std::ptrdiff_t>(header->length);
        frame.payload.assign(begin, end);
        buffer_.erase(buffer_.begin(), end);
        if (header->opcode == ws::Opcode::ping) ++pings;
        if (header->mask) throw std::runtime_error("the hub must not mask");
        largest_frame = std::max<std::size_t>(largest_frame, header->length);
        co_return frame;
    }
    /// Data until `size` bytes are there, or until the stream ends.
    asio::awaitable<std::string> receive_data(std::size_t size) {
        std::string data;
        while (data.size() < size) {
            const auto frame = co_await receive();
            if (!frame || frame->header.opcode == ws::Opcode::close) break;
            if (!ws::is_control(frame->header.opcode))
                data.append(reinterpret_cast<const char*>(frame->payload.data()), frame->payload.size());
        }
        co_return data;
    }
    /// Drops data until a Close comes; throws when the connection ends without.
    asio::awaitable<Frame> receive_close() {
        for (;;) {
            auto frame = co_await receive();
            if (!frame) throw std::runtime_error("the connection ended without a Close");
            if (frame->header.opcode == ws::Opcode::close) co_return *frame;
        }
    }
    /// As receive_close, but only the code.
    asio::awaitable<int> close_code() {
        const auto frame = co_await receive_close();
        co_return frame.close_code();
    }
    /// True when nothing but the end of the connection follows.
    asio::awaitable<bool> is_over() {
        const auto frame = co_await receive();
        co_return !frame.has_value();
    }
    /// The peer's machine is gone: RST.
    void reset() {
        const linger immediately{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &immediately, sizeof immediately);
        transport_->abort(CloseReason::reset);
    }
    /// Ends the connection in order, but without a Close.
    asio::awaitable<void> end_connection() {
        try {
            co_await transport_->close(CloseReason::clean);
        } catch (const StreamError&) {
            // The hub need not answer in order.
        }
    }
    /// Breaks the connection off.
    void vanish() { transport_->abort(CloseReason::lost); }

    int pings = 0;
    std::size_t largest_frame = 0;

 private:
    asio::awaitable<http::Response> upgrade(http::Connection& connection, std::string target, Ticket ticket,
                                            Wish wish) {
        ws::ClientHandshake ask{address_.host, std::move(target), wish.subprotocol, std::move(wish.extra)};
        if (!ticket.token.empty()) ask.extra.add("Authorization", "Bearer " + std::string(ticket.token.reveal()));
        auto answer = co_await ws::upgrade(connection, std::move(ask));
        co_return answer;
    }
    asio::awaitable<bool> fill() {
        std::vector<std::byte> room(64 * 1024);
        std::size_t size = 0;
        try {
            size = co_await transport_->read_some(room);
        } catch (const StreamError&) {
            // The end, told less politely.
        }
        buffer_.insert(buffer_.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size));
        co_return size > 0;
    }

    const HubAddress& address_;
    int fd_ = -1;
    std::unique_ptr<Transport> transport_;
    std::vector<std::byte> buffer_;
};

}  // namespace device_streams::hub_clients
