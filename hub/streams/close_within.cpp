#include "hub/streams/close_within.hpp"

#include "common/async/join.hpp"

namespace device_streams::hub {

asio::awaitable<void> close_within(ByteStream& stream, CloseReason close_reason, Clock::duration limit, Clock& clock) {
    try {
        co_await with_timeout(stream.close(close_reason), limit, clock);
    } catch (const std::exception&) {
        stream.abort(
            close_reason);  // cut short by the peer, the time or the hub's end: it is told if that needs no waiting
    }
}

}  // namespace device_streams::hub
