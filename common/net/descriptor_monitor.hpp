#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include <functional>
#include <memory>

namespace device_streams {

/// Waits for a descriptor beside whoever else does, until it is dropped. Not a coroutine: an idle stream has several of
/// these, and a coroutine costs more than all else that it holds.
class DescriptorMonitor : public std::enable_shared_from_this<DescriptorMonitor> {
 public:
    /// Is told that what was waited for is there, or why it cannot be waited for. True: to be asked again in 100 ms, as
    /// the reason may stay.
    using Look = std::function<bool(const asio::error_code&)>;

    /// `descriptor` outlives it; `look` runs on `strand`.
    DescriptorMonitor(asio::posix::stream_descriptor& descriptor, asio::posix::descriptor_base::wait_type what,
                      const asio::any_io_executor& strand, Look look);
    ~DescriptorMonitor();
    DescriptorMonitor(const DescriptorMonitor&) = delete;
    DescriptorMonitor& operator=(const DescriptorMonitor&) = delete;

    /// Call it once.
    void start();

 private:
    void looked(const asio::error_code& error);

    asio::posix::stream_descriptor& descriptor_;
    asio::posix::descriptor_base::wait_type what_;
    asio::steady_timer nap_;
    asio::cancellation_signal stop_;
    Look look_;
};

}  // namespace device_streams
