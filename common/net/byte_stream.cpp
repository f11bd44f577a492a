#include "common/net/byte_stream.hpp"

#include "common/async/join.hpp"
#include "common/base/error.hpp"

#include <cerrno>
#include <cstring>
#include <vector>

namespace device_streams {

namespace {
Errc errc_of(Ending ending) {
    switch (ending) {
        case Ending::reset:
            return Errc::leg_reset;
        case Ending::stopping:
            return Errc::hub_stopping;
        case Ending::protocol_violation:
        case Ending::too_big:
            return Errc::protocol_violation;
        case Ending::refused:
            return Errc::ended_by_policy;
        case Ending::time_up:
            return Errc::time_limit;
        case Ending::clean:
        case Ending::cancelled:
            return Errc::cancelled;
        case Ending::lost:
            break;
    }
    return Errc::leg_lost;
}
}  // namespace

std::string_view to_string(Ending ending) {
    switch (ending) {
        case Ending::clean:
            return "clean";
        case Ending::reset:
            return "reset";
        case Ending::lost:
            return "lost";
        case Ending::stopping:
            return "stopping";
        case Ending::protocol_violation:
            return "protocol violation";
        case Ending::refused:
            return "refused";
        case Ending::too_big:
            return "too big";
        case Ending::time_up:
            return "time up";
        case Ending::cancelled:
            return "cancelled";
    }
    return "?";
}

LegError::LegError(Ending ending, const std::string& cause)
    : std::system_error(make_error_code(errc_of(ending))), ending_(ending), cause_(cause) {
}

void throw_leg_error(int error) {
    const bool reset = error == ECONNRESET || error == EPIPE || error == ENOTCONN || error == EBADF;
    throw LegError(reset ? Ending::reset : Ending::lost, std::strerror(error));
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

asio::awaitable<void> ByteStream::listen_on() {
    return forever();
}

}  // namespace device_streams
