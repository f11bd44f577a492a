#pragma once

#include "common/base/clock.hpp"
#include "common/http/message.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace device_streams::http {

/// The value of the header Date (RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
std::string format_date(Clock::wall_time when);
/// nullopt for anything but that form.
std::optional<Clock::wall_time> parse_date(std::string_view text);

/// "the hub's clock is 86400 s ahead of this machine's" when the message's Date says so by more than two minutes; else
/// empty. Tokens live by the clock, so this explains why one was refused.
std::string clock_note(const Headers& from_hub, Clock::wall_time now);

}  // namespace device_streams::http
