#include "tests/support/memory_stream.hpp"

#include <asio/bind_executor.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace device_streams::test {

namespace {

asio::awaitable<void> wait_for_change(MemoryPipe& pipe) {
    asio::error_code woken;
    co_await pipe.changed.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
        throw std::system_error(asio::error::operation_aborted);
}

StreamError broken_in_memory(const MemoryPipe& pipe) {
    return {pipe.broken ? pipe.broken_as : CloseReason::reset, "broken in memory"};
}

void lose(MemoryPipe& pipe) {
    pipe.broken = true;
    pipe.broken_as = CloseReason::lost;
    pipe.notify();
}

struct MemoryWatch : std::enable_shared_from_this<MemoryWatch> {
    MemoryWatch(std::shared_ptr<MemoryPipe> incoming, std::shared_ptr<MemoryPipe> outgoing, asio::any_io_executor where,
                OnLost told)
        : in(std::move(incoming)), out(std::move(outgoing)), strand(std::move(where)), on_lost(std::move(told)) {}

    void look() {
        if (in->broken || out->broken)
            return on_lost(std::make_exception_ptr(broken_in_memory(in->broken ? *in : *out)));
        auto changed = [held = weak_from_this()](const asio::error_code&) {
            if (const auto self = held.lock()) self->look();
        };
        out->changed.async_wait(asio::bind_executor(strand, std::move(changed)));
    }

    std::shared_ptr<MemoryPipe> in, out;
    asio::any_io_executor strand;
    OnLost on_lost;
};

}  // namespace

MemoryStream::MemoryStream(std::shared_ptr<MemoryPipe> in, std::shared_ptr<MemoryPipe> out, bool half_close)
    : in_(std::move(in)), out_(std::move(out)), half_close_(half_close) {
}

std::optional<std::size_t> MemoryStream::try_read(WritableBytes into) {
    const auto size = std::min({into.size(), in_->bytes.size(), read_limit});
    if (size == 0 && in_->finished && !std::exchange(end_told_, true)) return 0;
    if (size == 0 && in_->broken) throw broken_in_memory(*in_);
    if (size == 0) return in_->finished ? std::optional<std::size_t>(0) : std::nullopt;
    std::copy_n(in_->bytes.begin(), size, into.begin());
    in_->bytes.erase(in_->bytes.begin(), in_->bytes.begin() + static_cast<std::ptrdiff_t>(size));
    in_->notify();
    return size;
}

asio::awaitable<void> MemoryStream::wait_readable() {
    while (in_->bytes.empty() && !in_->finished && !in_->broken) co_await wait_for_change(*in_);
}

asio::awaitable<void> MemoryStream::write_all(OutBytes out) {
    for (auto rest = out.bytes; !rest.empty();) {
        if (out_->broken || out_->finished) throw broken_in_memory(*out_);
        const auto room = out_->capacity - std::min(out_->capacity, out_->bytes.size());
        const auto size = std::min(room, rest.size());
        out_->bytes.insert(out_->bytes.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
        rest = rest.subspan(size);
        out_->notify();
        if (!rest.empty()) co_await wait_for_change(*out_);
    }
}

bool MemoryStream::try_write(ReadableBytes bytes) {
    if (out_->broken || out_->finished || out_->bytes.size() + bytes.size() > out_->capacity) return false;
    out_->bytes.insert(out_->bytes.end(), bytes.begin(), bytes.end());
    out_->notify();
    return true;
}

asio::awaitable<void> MemoryStream::finish() {
    if (half_close_) {
        out_->finished = true;
        out_->notify();
    }
    co_return;
}

LossMonitor MemoryStream::watch(const asio::any_io_executor& strand, OnLost on_lost) {
    const auto watching = std::make_shared<MemoryWatch>(in_, out_, strand, std::move(on_lost));
    watching->look();
    return watching;
}

asio::awaitable<void> MemoryStream::drain_until_closed() {
    while (!peer_left) co_await wait_for_change(*in_);
}

asio::awaitable<void> MemoryStream::close(CloseReason close_reason) {
    closed_with = close_reason;
    out_->finished = out_->finished || close_reason == CloseReason::clean;
    while (still_delivering) co_await wait_for_change(*out_);
    out_->broken = out_->broken || close_reason != CloseReason::clean;
    out_->notify();
    closed_well = true;
    if (close_reason == CloseReason::clean && objection) throw StreamError(*objection);
}

void MemoryStream::give_up() noexcept {
    lose(*in_);
    lose(*out_);
}

void MemoryStream::abort(CloseReason reason) noexcept {
    aborted_with = reason;
    in_->broken = out_->broken = true;
    in_->notify();
    out_->notify();
}

std::pair<std::unique_ptr<MemoryStream>, std::unique_ptr<MemoryStream>> make_memory_streams(
    const asio::any_io_executor& executor, bool half_close) {
    auto there = std::make_shared<MemoryPipe>(executor);
    auto back = std::make_shared<MemoryPipe>(executor);
    return {std::make_unique<MemoryStream>(back, there, half_close),
            std::make_unique<MemoryStream>(there, back, half_close)};
}

ReadableBytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

std::string text_of(ReadableBytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace device_streams::test
