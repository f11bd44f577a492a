#include "common/ws/ws_stream.hpp"

#include "common/async/join.hpp"

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace device_streams::ws {

namespace {

// How many reads without payload one try_read makes, so that a flood of control frames cannot hold the thread.
constexpr int reads_per_turn = 16;
// Where a header may come only one TLS record is read: the payload behind it is moved over it.
constexpr std::size_t read_with_header = 16 * 1024;
constexpr std::size_t drop_size = 8 * 1024;
constexpr std::size_t parked_at_most = 512;
constexpr auto drop_pause = std::chrono::milliseconds(100);

asio::awaitable<void> nothing() {
    co_return;
}

// True for as long as it lives.
class Flag {
 public:
    explicit Flag(bool& flag) : flag_(flag) { flag_ = true; }
    ~Flag() { flag_ = false; }
    Flag(const Flag&) = delete;
    Flag& operator=(const Flag&) = delete;

 private:
    bool& flag_;
};

}  // namespace

StreamError WsStream::closed_error(const ClosePayload& reason) {
    if (!reason.code) return {CloseReason::clean, "the peer closed the WebSocket"};
    return {reason_of_close_code(*reason.code),
            "the peer closed the WebSocket with code " + std::to_string(*reason.code)};
}

WsStream::WsStream(std::unique_ptr<Transport> transport, WsOptions options, std::vector<std::byte> early_bytes)
    : transport_(std::move(transport)),
      options_(options),
      early_bytes_(std::move(early_bytes)),
      reader_(options.role, options.half_close, options.takes_text),
      last_heard_(now()),
      last_sent_(last_heard_) {
}

Clock::time_point WsStream::now() const {
    return options_.clock != nullptr ? options_.clock->now() : Clock::time_point();
}

std::optional<std::size_t> WsStream::try_read(WritableBytes into) {
    if (!parked_.empty()) return parked_.take(into);
    std::size_t filled = 0;
    bool dry = false;
    for (int turn = 0; turn < reads_per_turn && filled < into.size() && !dry && !over() && !reader_.finished();
         ++turn) {
        const auto room = into.subspan(filled, readable_at_once(into.size() - filled));
        const auto raw = read_raw(room);
        if (raw) filled += decode(room.first(*raw));
        dry = !raw || (filled > 0 && *raw < room.size());
    }
    if (filled > 0) return filled;
    if (const auto end = told_end()) return end;
    if (!dry) yield_due_ = true;
    flush_slot();
    return std::nullopt;
}

// Payload is read to where it is wanted, so that only what comes with a header has to be moved over it.
std::size_t WsStream::readable_at_once(std::size_t room) const {
    const auto piece = std::max<std::uint64_t>(reader_.payload_ahead(), read_with_header);
    return static_cast<std::size_t>(std::min<std::uint64_t>(room, piece));
}

// What is to be told once all payload was: in the order in which the peer said it.
std::optional<std::size_t> WsStream::told_end() {
    if (reader_.finished() && !end_told_) {
        end_told_ = true;
        ended_ = reader_.closed() && is_clean(*reader_.closed());
        return 0;
    }
    if (reader_.closed() && is_clean(*reader_.closed())) {
        ended_ = true;
        return 0;
    }
    throw_if_gone();
    if (reader_.finished()) return 0;
    return std::nullopt;
}

void WsStream::throw_if_gone() {
    if (reader_.failure()) throw StreamError(*reader_.failure());
    if (reader_.closed()) throw closed_error(*reader_.closed());
    if (transport_failure_) throw StreamError(*transport_failure_);
    if (transport_ended_) throw silence_ ? *silence_ : StreamError(CloseReason::lost, no_close);
}

std::optional<std::size_t> WsStream::read_raw(WritableBytes into) {
    if (early_bytes_.empty()) {
        try {
            const auto size = transport_->try_read(into);
            transport_ended_ = size == std::size_t{0};
            if (size) last_heard_ = now();
            return size;
        } catch (const StreamError& failure) {
            transport_failure_ = silence_ ? *silence_ : as_lost(failure);  // told once the payload before it was
            return std::nullopt;
        }
    }
    return early_bytes_.take(into);
}

/// Leaves the payload at the front of `raw` and answers the control frames that were between.
std::size_t WsStream::decode(WritableBytes raw) {
    const auto size = reader_.decode(raw, last_heard_);
    if (const auto ping = reader_.take_ping()) slot_.put_pong(*ping);
    if (reader_.failure()) slot_.put_close(make_close(CloseReason::protocol_violation, options_.half_close));
    if (reader_.closed()) slot_.put_close(make_close(reader_.closed()->code));
    flush_slot();
    return size;
}

void WsStream::flush_slot() {
    if (writing_ || cut_in_frame_ || slot_.empty()) return;
    try {
        slot_.flush(*transport_, options_.role);
    } catch (const StreamError&) {
        // The leg is gone; what the peer sent before may still be read, and the reader meets its end.
        slot_.clear();
    }
}

// The wait and the write of every message: few coroutines, as each costs more than what it does here.
asio::awaitable<void> WsStream::wait_readable() {
    const bool reads_at_once = !parked_.empty() || reader_.finished() || over();
    return reads_at_once ? nothing() : wait_for_input();
}

asio::awaitable<void> WsStream::wait_for_input() {
    flush_slot();
    if (std::exchange(yield_due_, false)) {
        co_await asio::post(asio::use_awaitable);
    } else if (early_bytes_.empty()) {
        const Flag listening(listening_);
        try {
            co_await transport_->wait_readable();
        } catch (const StreamError& failure) {
            throw as_lost(failure);
        }
    }
}

// True when nothing more is to be expected from the peer.
bool WsStream::over() const {
    return reader_.closed() || reader_.failure() || transport_failure_ || transport_ended_;
}

asio::awaitable<void> WsStream::write_all(OutBytes out) {
    for (auto rest = out.bytes; !rest.empty() && may_write();) {
        const auto payload = rest.first(std::min(rest.size(), options_.message_limit));
        const auto header = data_header(payload.size());
        if (header.mask) apply_mask(payload, *header.mask, 0);
        if (out.headroom >= longest_header) {
            const auto size = write_header_before(payload.data(), header);
            const OutBytes frame{{payload.data() - size, size + payload.size()}, out.headroom - size};
            const Flag writing(writing_);
            try {
                co_await transport_->write_all(frame);
            } catch (const StreamError& failure) {
                throw as_lost(failure);
            }
            last_sent_ = now();
        } else {
            co_await write_copied(header, payload);
        }
        rest = rest.subspan(payload.size());
        out.headroom += payload.size();  // sent bytes are room for the next header
    }
    flush_slot();
}

bool WsStream::try_write(ReadableBytes bytes) {
    constexpr std::size_t taken_at_most = 256;  // by the transport
    flush_slot();
    if (!slot_.empty() || slot_.closing() || over() || writing_ || cut_in_frame_) return false;
    if (longest_header + bytes.size() > taken_at_most) return false;
    std::array<std::byte, taken_at_most> room;
    const WritableBytes payload = WritableBytes(room).subspan(longest_header, bytes.size());
    std::ranges::copy(bytes, payload.begin());
    const auto header = data_header(payload.size());
    if (header.mask) apply_mask(payload, *header.mask, 0);
    const auto size = write_header_before(payload.data(), header);
    const bool taken = transport_->try_write({payload.data() - size, size + payload.size()});
    if (taken) last_sent_ = now();
    return taken;
}

FrameHeader WsStream::data_header(std::size_t length) const {
    FrameHeader header{.opcode = Opcode::binary, .fin = true, .length = length, .mask = std::nullopt};
    if (options_.role == Role::client) header.mask = fresh_masking_key();
    return header;
}

// False when the bytes are to be dropped.
bool WsStream::may_write() {
    flush_slot();
    if (!slot_.closing()) return true;
    if (reader_.closed() && is_clean(*reader_.closed())) return false;
    throw_if_gone();
    throw StreamError(CloseReason::cancelled, "the WebSocket was closed on this side");
}

asio::awaitable<void> WsStream::or_lost(asio::awaitable<void> step) {
    try {
        co_await std::move(step);
    } catch (const StreamError& failure) {
        throw as_lost(failure);
    }
}

asio::awaitable<void> WsStream::write_frame(OutBytes frame) {
    const Flag writing(writing_);
    co_await or_lost(transport_->write_all(frame));
    last_sent_ = now();
}

// For payload without room for a header in front of it: the header and the first bytes go out from a room of our own.
asio::awaitable<void> WsStream::write_copied(const FrameHeader& header, WritableBytes payload) {
    constexpr std::size_t copied_at_most = 256;
    std::array<std::byte, wanted_headroom + copied_at_most> room;
    const auto copied = std::min(payload.size(), copied_at_most);
    std::byte* const body = room.data() + wanted_headroom;
    std::memcpy(body, payload.data(), copied);
    const auto size = write_header_before(body, header);
    const Flag writing(writing_);
    cut_in_frame_ = copied < payload.size();
    const OutBytes front{{body - size, size + copied}, wanted_headroom - size};
    co_await or_lost(transport_->write_all(front));
    if (!cut_in_frame_) co_return;
    const OutBytes rest{payload.subspan(copied), copied};
    co_await or_lost(transport_->write_all(rest));
    cut_in_frame_ = false;
}

asio::awaitable<void> WsStream::finish() {
    if (!may_write()) co_return;
    if (options_.half_close && !std::exchange(finish_sent_, true)) {
        std::array<std::byte, wanted_headroom> room;
        const auto size = write_header_before(room.data() + room.size(), data_header(0));
        const OutBytes frame{WritableBytes(room).last(size), room.size() - size};
        co_await write_frame(frame);
    }
    flush_slot();
}

asio::awaitable<void> WsStream::drain_until_closed() {
    asio::steady_timer pause(co_await asio::this_coro::executor);
    for (;;) {
        if (reader_.closed()) ended_ = is_clean(*reader_.closed());
        throw_if_gone();
        co_await wait_for_input();
        drop_input();
        // With half-close only control frames can come here; without, an endless run of empty messages may.
        if (options_.half_close || over()) continue;
        pause.expires_after(drop_pause);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<void> WsStream::park() {
    const auto read_and_keep = [this] {  // its room is not kept while we wait
        std::array<std::byte, parked_at_most> room;
        const auto size = try_read(room);
        if (size) parked_ = KeptBytes({room.begin(), room.begin() + static_cast<std::ptrdiff_t>(*size)});
        return size.has_value();
    };
    while (parked_.empty()) {
        const bool told = read_and_keep();
        if (!told)
            co_await wait_readable();
        else if (parked_.empty())
            co_await drain_until_closed();
    }
    co_await forever();
}

void WsStream::drop_input() {
    std::array<std::byte, drop_size> room;
    for (int turn = 0; turn < reads_per_turn; ++turn) {
        const auto raw = read_raw(room);
        if (!raw) return;
        decode(WritableBytes(room).first(*raw));
        if (over()) return;
    }
    yield_due_ = true;
}

}  // namespace device_streams::ws
