#pragma once

#include "common/base/clock.hpp"
#include "common/net/byte_stream.hpp"
#include "common/tunnel/relay.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace device_streams {

/// What the pumps, the watchers and the goodbyes of one relay know.
struct RelayState {
    RelayLimits limits;
    Clock& clock;
    RelayCounts& counts;
    int open_directions = 2;
    Clock::time_point last_activity{};
    // Since when a write to the left and to the right leg is under way.
    std::array<std::optional<Clock::time_point>, 2> writing_since{};
    std::array<bool, 2> read_to_end{};  // what the left and the right leg had to say has all come
    // A leg that takes nothing any more: a write has failed, or its watch has told.
    std::array<std::optional<StreamError>, 2> lost{};
    const Clock::time_point start = clock.now();
    RelayResult result;
    bool failed = false;
    bool decided = false;  // what breaks now is teardown

    bool is_writing() const { return writing_since[0] || writing_since[1]; }
    void touch() { last_activity = clock.now(); }
    // An end that this side makes, and a reset, are told soon.
    bool is_cut() const {
        return result.close_reason == CloseReason::reset || result.close_reason == CloseReason::time_up ||
               result.close_reason == CloseReason::cancelled;
    }
    // The first failure is the cause; what the teardown breaks after it is not.
    void note_failure(bool left, const StreamError& error) {
        if (decided || std::exchange(failed, true)) return;
        result.close_reason = error.close_reason();
        result.left_caused = left;
        result.cause = error.what();
    }
    // Neither leg is to blame.
    StreamError note_time_up(const std::string& limit) {
        if (!decided && !std::exchange(failed, true)) {
            result.close_reason = CloseReason::time_up;
            result.cause = limit;
        }
        return {CloseReason::time_up, limit};
    }
};

struct Leg {
    ByteStream& stream;
    bool is_left;
    std::size_t index() const { return is_left ? 0 : 1; }
};

}  // namespace device_streams
