#pragma once

#include "common/base/clock.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace device_streams {

/// Looks at something whenever the look before has said so, until it is dropped. Not a coroutine: an idle stream or
/// device has several of these, and a coroutine costs more than all else that it holds.
class PollTimer : public std::enable_shared_from_this<PollTimer> {
 public:
    /// When to look again; nullopt: never. It does not drop the lookout.
    using Look = std::function<std::optional<Clock::time_point>()>;

    /// `clock` outlives it; `look` runs on `strand`.
    PollTimer(Clock& clock, asio::any_io_executor strand, Look look)
        : clock_(clock), strand_(std::move(strand)), look_(std::move(look)) {}

    /// Looks now, or first at `when`: one of these, once.
    void look();
    void look_at(Clock::time_point when);

 private:
    Clock& clock_;
    asio::any_io_executor strand_;
    Look look_;
    std::shared_ptr<asio::steady_timer> timer_;
};

}  // namespace device_streams
