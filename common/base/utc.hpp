#pragma once

#include <chrono>
#include <ctime>

namespace device_streams {

/// A time as the calendar has it in UTC, with its day of the week, and back. Any year that certificates have.
std::tm to_utc(std::chrono::sys_seconds when);
std::chrono::sys_seconds from_utc(const std::tm& parts);

}  // namespace device_streams
