// How a WebSocket stays alive, is watched, and comes to its end.
#include "common/async/poll_timer.hpp"
#include "common/ws/ws_stream.hpp"

#include <asio/this_coro.hpp>

#include <algorithm>

namespace device_streams::ws {

StreamError WsStream::as_lost(const StreamError& failure) {
    return {failure.close_reason() == CloseReason::reset ? CloseReason::lost : failure.close_reason(), failure.what()};
}

// What a watcher holds.
struct WsStream::Watching {
    Watching(WsStream& watched, OnLost told) : stream(watched), on_lost(std::move(told)) {}

    // Behind a clean Close the connection may break: all that the peer had to say is here.
    void transport_gone(const std::exception_ptr& why) {
        if (stream.reader_.closed() && is_clean(*stream.reader_.closed())) return;
        try {
            std::rethrow_exception(why);
        } catch (const StreamError& failure) {
            on_lost(std::make_exception_ptr(as_lost(failure)));
        } catch (...) {
            on_lost(why);
        }
    }
    std::optional<Clock::time_point> look_after() {
        try {
            return stream.keep_alive();
        } catch (const StreamError& silence) {
            stream.silence_ = silence;
            stream.transport_->give_up();
            on_lost(std::current_exception());
            return std::nullopt;
        } catch (...) {
            on_lost(std::current_exception());
            return std::nullopt;
        }
    }

    WsStream& stream;
    OnLost on_lost;
    LossMonitor transport;
    std::shared_ptr<PollTimer> life;
};

LossMonitor WsStream::watch(const asio::any_io_executor& strand, OnLost on_lost) {
    const auto watching = std::make_shared<Watching>(*this, std::move(on_lost));
    watching->transport = transport_->watch(
        strand, [watch = watching.get()](const std::exception_ptr& why) { watch->transport_gone(why); });
    if (options_.keep_alive && options_.clock != nullptr) {
        watching->life = std::make_shared<PollTimer>(*options_.clock, strand,
                                                     [watch = watching.get()] { return watch->look_after(); });
        watching->life->look();
    }
    return watching;
}

// Pings when it is time to, and says when to come again.
Clock::time_point WsStream::keep_alive() {
    const auto& [liveness, peer_pings] = *options_.keep_alive;
    const auto present = now();
    if (!listening_) last_heard_ = present;  // whatever came is still unread
    const auto dead_at = peer_pings ? last_heard_ + liveness.dead_after : Clock::time_point::max();
    if (present >= dead_at)
        throw StreamError(CloseReason::lost, "nothing was heard for " +
                                                 std::to_string(liveness.dead_after / std::chrono::seconds(1)) + " s");
    if (present >= last_sent_ + liveness.ping_every) {
        ping();
        last_sent_ = present;
    }
    return std::min(dead_at, last_sent_ + liveness.ping_every);
}

ControlPayload WsStream::close_for(CloseReason close_reason) const {
    if (close_reason == CloseReason::stopping) return make_close(options_.stopping_code);
    return make_close(close_reason, options_.half_close);
}

asio::awaitable<void> WsStream::close(CloseReason close_reason) {
    try {
        co_await exchange_closes(close_reason);
    } catch (const StreamError&) {
        transport_->abort(close_reason);
    }
    if (close_reason == CloseReason::clean) throw_unless_agreed();
}

// Peers of other makers may go without a Close of their own.
void WsStream::throw_unless_agreed() const {
    if (reader_.closed() && !is_clean(*reader_.closed())) throw closed_error(*reader_.closed());
    if (options_.half_close && !reader_.closed()) throw StreamError(CloseReason::lost, no_close);
}

asio::awaitable<void> WsStream::exchange_closes(CloseReason close_reason) {
    if (cut_in_frame_) {
        transport_->abort(close_reason);
        co_return;
    }
    slot_.put_close(close_for(close_reason));
    auto frame = slot_.take_close(options_.role);
    if (frame) {
        const OutBytes out{frame->bytes(), frame->begin};
        co_await write_frame(out);
    }
    co_await await_close();
    co_await transport_->close(CloseReason::clean);
}

asio::awaitable<void> WsStream::await_close() {
    if (over()) co_return;
    const auto watching = transport_->watch(co_await asio::this_coro::executor, ignore_loss);
    while (!over()) {
        co_await wait_for_input();
        drop_input();
    }
}

std::size_t WsStream::undelivered() {
    if (over()) return 0;
    if (const auto below = transport_->undelivered(); below > 0) return below;
    if (!options_.keep_alive || !options_.keep_alive->peer_pings) return 0;
    return now() < last_heard_ + options_.keep_alive->liveness.dead_after ? 1 : 0;
}

void WsStream::abort(CloseReason reason) noexcept {
    try {
        slot_.put_close(close_for(reason));
        flush_slot();
    } catch (...) {
        // No random bytes for the mask: then the peer learns of the end from the connection alone.
    }
    transport_->abort(reason);
}

void WsStream::ping() {
    if (slot_.empty()) slot_.put_ping();
    flush_slot();
}

}  // namespace device_streams::ws
