#pragma once

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/http/message.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace device_streams::http {

/// The value of the header Date (RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
std::string format_date(Clock::wall_time when);
/// nullopt for anything but that form.
std::optional<Clock::wall_time> parse_date(std::string_view text);

/// How far the clock of who sent a message was ahead of this machine's, as its Date says; nullopt: it has none.
std::optional<std::chrono::seconds> clock_ahead(const Headers& received, Clock::wall_time now);
/// "the hub's clock is 86400 s ahead of this machine's, by which it is 2020-01-01T00:00:00Z" for more than two minutes
/// either way; else empty. Tokens live by the clock, so this explains why one was refused.
std::string clock_note(std::optional<std::chrono::seconds> hub_ahead, Clock::wall_time now);
/// A refused token with what clock_note says: Failure(clock_behind) when it `was_expired` by the hub's clock the moment
/// it was made. The refusal as it is where there is nothing to say.
Failure with_clock_note(const Failure& refusal, std::chrono::seconds hub_ahead, bool was_expired, Clock::wall_time now);

}  // namespace device_streams::http
