#include "common/http/date.hpp"

#include "common/base/utc.hpp"
#include "common/text/rfc3339.hpp"

#include <cstdlib>
#include <iomanip>
#include <locale>
#include <sstream>

namespace device_streams::http {

namespace {
constexpr auto form = "%a, %d %b %Y %H:%M:%S GMT";
constexpr std::chrono::seconds tolerance{120};
// Of the clock: in the years 1677 and 2262.
constexpr auto first_second = std::chrono::ceil<std::chrono::seconds>(Clock::wall_time::min());
constexpr auto last_second = std::chrono::floor<std::chrono::seconds>(Clock::wall_time::max());
}  // namespace

std::string format_date(Clock::wall_time when) {
    const auto parts = to_utc(std::chrono::floor<std::chrono::seconds>(when));
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text << std::put_time(&parts, form);
    return text.str();
}

std::optional<Clock::wall_time> parse_date(std::string_view text) {
    std::tm parts{};
    std::istringstream in{std::string(text)};
    in.imbue(std::locale::classic());
    in >> std::get_time(&parts, form);
    if (in.fail()) return std::nullopt;
    const auto seconds = from_utc(parts);
    if (seconds < first_second || seconds > last_second) return std::nullopt;
    const Clock::wall_time when = seconds;
    return format_date(when) == text ? std::optional(when) : std::nullopt;  // get_time lets much pass
}

std::optional<std::chrono::seconds> clock_ahead(const Headers& received, Clock::wall_time now) {
    const auto date = parse_date(received.find("Date").value_or(""));
    if (!date) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::seconds>(*date - now);
}

std::string clock_note(std::optional<std::chrono::seconds> hub_ahead, Clock::wall_time now) {
    if (!hub_ahead || std::chrono::abs(*hub_ahead) <= tolerance) return {};
    return "the hub's clock is " + std::to_string(std::abs(hub_ahead->count())) + " s " +
           (hub_ahead->count() > 0 ? "ahead of" : "behind") + " this machine's, by which it is " +
           format_rfc3339(std::chrono::floor<std::chrono::seconds>(now));
}

Failure with_clock_note(const Failure& refusal, std::chrono::seconds hub_ahead, bool was_expired,
                        Clock::wall_time now) {
    const auto note = clock_note(hub_ahead, now);
    if (note.empty()) return refusal;
    return {was_expired ? Errc::clock_behind : refusal.errc(), refusal.detail() + "; " + note};
}

}  // namespace device_streams::http
