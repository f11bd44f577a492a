#include "common/net/byte_stream.hpp"

#include "common/async/join.hpp"

#include <asio/error.hpp>

#include <cstring>
#include <vector>

namespace device_streams {

Errc errc_of(CloseReason close_reason) {
    switch (close_reason) {
        case CloseReason::reset:
            return Errc::leg_reset;
        case CloseReason::stopping:
            return Errc::hub_stopping;
        case CloseReason::protocol_violation:
        case CloseReason::too_big:
            return Errc::protocol_violation;
        case CloseReason::refused:
            return Errc::ended_by_policy;
        case CloseReason::time_up:
            return Errc::time_limit;
        case CloseReason::clean:
        case CloseReason::cancelled:
            return Errc::cancelled;
        case CloseReason::lost:
            break;
    }
    return Errc::leg_lost;
}

std::string_view to_string(CloseReason close_reason) {
    switch (close_reason) {
        case CloseReason::clean:
            return "clean";
        case CloseReason::reset:
            return "reset";
        case CloseReason::lost:
            return "lost";
        case CloseReason::stopping:
            return "stopping";
        case CloseReason::protocol_violation:
            return "protocol violation";
        case CloseReason::refused:
            return "refused";
        case CloseReason::too_big:
            return "too big";
        case CloseReason::time_up:
            return "time up";
        case CloseReason::cancelled:
            return "cancelled";
    }
    return "?";
}

StreamError::StreamError(CloseReason close_reason, const std::string& cause)
    : std::system_error(make_error_code(errc_of(close_reason))), close_reason_(close_reason), cause_(cause) {
}

void throw_stream_error(const std::error_code& error) {
    if (error == Errc::mtu_black_hole) {
        auto cause = explain(Failure(Errc::mtu_black_hole, {}));
        cause.pop_back();  // the full stop: more follows
        throw StreamError(CloseReason::lost, cause);
    }
    const bool reset = error == asio::error::connection_reset || error == asio::error::broken_pipe ||
                       error == asio::error::not_connected || error == asio::error::bad_descriptor;
    throw StreamError(reset ? CloseReason::reset : CloseReason::lost, error.message());
}

asio::awaitable<std::size_t> ByteStream::read_some(WritableBytes into) {
    for (;;) {
        if (const auto size = try_read(into)) co_return *size;
        co_await wait_readable();
    }
}

asio::awaitable<void> write_copy(ByteStream& stream, ReadableBytes bytes) {
    std::vector<std::byte> room(wanted_headroom + bytes.size());
    std::memcpy(room.data() + wanted_headroom, bytes.data(), bytes.size());
    const OutBytes out{WritableBytes(room).subspan(wanted_headroom), wanted_headroom};
    co_await stream.write_all(out);
}

asio::awaitable<void> write_text(ByteStream& stream, std::string text) {
    co_await write_copy(stream, std::as_bytes(std::span(text)));
}

asio::awaitable<void> ByteStream::drain_until_closed() {
    return forever();
}

}  // namespace device_streams
