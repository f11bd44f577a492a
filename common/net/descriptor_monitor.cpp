#include "common/net/descriptor_monitor.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>

#include <chrono>

namespace device_streams {

DescriptorMonitor::DescriptorMonitor(asio::posix::stream_descriptor& descriptor,
                                     asio::posix::descriptor_base::wait_type what, const asio::any_io_executor& strand,
                                     Look look)
    : descriptor_(descriptor), what_(what), nap_(strand), look_(std::move(look)) {
}

DescriptorMonitor::~DescriptorMonitor() {
    stop_.emit(asio::cancellation_type::terminal);
}

// What ends behind the watch finds it gone.
void DescriptorMonitor::start() {
    auto ready = [held = weak_from_this()](const asio::error_code& error) {
        if (const auto self = held.lock()) self->looked(error);
    };
    auto on_strand = asio::bind_executor(nap_.get_executor(), std::move(ready));
    descriptor_.async_wait(what_, asio::bind_cancellation_slot(stop_.slot(), std::move(on_strand)));
}

void DescriptorMonitor::looked(const asio::error_code& error) {
    stop_.slot().clear();  // the operation is over: there is nothing to cancel
    if (!look_(error)) return;
    nap_.expires_after(std::chrono::milliseconds(100));
    nap_.async_wait([held = weak_from_this()](const asio::error_code& stopped) {
        const auto self = held.lock();
        if (!stopped && self) self->start();
    });
}

}  // namespace device_streams
