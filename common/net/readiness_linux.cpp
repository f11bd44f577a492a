#include "common/net/readiness.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <utility>

namespace device_streams {

namespace {
asio::posix::descriptor_base::wait_type native(Readiness::What what) {
    switch (what) {
        case Readiness::What::wait_read:
            return asio::posix::descriptor_base::wait_read;
        case Readiness::What::wait_write:
            return asio::posix::descriptor_base::wait_write;
        case Readiness::What::wait_error:
            break;
    }
    return asio::posix::descriptor_base::wait_error;
}
}  // namespace

struct Readiness::Waiter {
    explicit Waiter(const asio::any_io_executor& executor) : descriptor(executor) {}
    asio::posix::stream_descriptor descriptor;
};

class Readiness::Monitor : public std::enable_shared_from_this<Monitor> {
 public:
    Monitor(std::shared_ptr<Waiter> waiter, What what, const asio::any_io_executor& strand, Look look)
        : waiter_(std::move(waiter)), what_(what), nap_(strand), look_(std::move(look)) {}
    ~Monitor() { stop_.emit(asio::cancellation_type::terminal); }
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;

    // What ends behind the watch finds it gone.
    void start() {
        auto ready = [held = weak_from_this()](const asio::error_code& error) {
            if (const auto self = held.lock()) self->looked(error);
        };
        auto on_strand = asio::bind_executor(nap_.get_executor(), std::move(ready));
        waiter_->descriptor.async_wait(native(what_), asio::bind_cancellation_slot(stop_.slot(), std::move(on_strand)));
    }

 private:
    void looked(const asio::error_code& error) {
        stop_.slot().clear();  // the operation is over: there is nothing to cancel
        if (!look_(error)) return;
        nap_.expires_after(std::chrono::milliseconds(100));
        nap_.async_wait([held = weak_from_this()](const asio::error_code& stopped) {
            const auto self = held.lock();
            if (!stopped && self) self->start();
        });
    }

    const std::shared_ptr<Waiter> waiter_;  // its end cancels a wait, also when the socket is gone
    const What what_;
    asio::steady_timer nap_;
    asio::cancellation_signal stop_;
    Look look_;
};

Readiness::Readiness(const asio::any_io_executor& executor, SocketHandle handle)
    : waiter_(std::make_shared<Waiter>(executor)), handle_(handle) {
    asio::error_code error;
    waiter_->descriptor.assign(handle, error);
    if (!error) return;
    socket_calls::close(handle);
    throw std::system_error(error);
}

Readiness::Readiness(Readiness&& other) noexcept
    : waiter_(std::move(other.waiter_)), handle_(std::exchange(other.handle_, no_socket)) {
}

Readiness::~Readiness() {
    close();
}

asio::awaitable<void> Readiness::wait(What what) {
    return waiter_->descriptor.async_wait(native(what), asio::use_awaitable);
}

std::shared_ptr<void> Readiness::monitor(What what, const asio::any_io_executor& strand, Look look) {
    auto monitor = std::make_shared<Monitor>(waiter_, what, strand, std::move(look));
    monitor->start();
    return monitor;
}

SocketHandle Readiness::release() noexcept {
    if (!is_open()) return no_socket;
    try {
        waiter_->descriptor.release();
    } catch (...) {
        // Only of a descriptor that is not open.
    }
    return std::exchange(handle_, no_socket);
}

void Readiness::close() noexcept {
    if (const auto handle = release(); handle != no_socket) socket_calls::close(handle);
}

}  // namespace device_streams
