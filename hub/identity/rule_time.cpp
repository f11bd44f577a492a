#include "hub/identity/rule_time.hpp"

#include "common/base/error.hpp"
#include "common/text/ascii.hpp"
#include "common/text/parts.hpp"
#include "common/text/rfc3339.hpp"

#include <algorithm>
#include <utility>

namespace device_streams::hub {

namespace {

using std::chrono::minutes;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr std::array<std::string_view, 7> day_names{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr minutes whole_day = std::chrono::hours(24);

[[noreturn]] void refuse_word(std::string_view word, const std::string& what) {
    throw Failure(Errc::usage, "\"" + std::string(word) + "\" " + what);
}

std::size_t day_index(std::string_view name, std::string_view word) {
    const auto found = std::ranges::find(day_names, lower_case(name));
    if (found == day_names.end())
        refuse_word(word,
                    "is neither days (mon-fri), hours (08:00-18:00), a time zone (UTC, UTC+01:00), from nor until");
    return static_cast<std::size_t>(found - day_names.begin());
}

// mon,wed-fri; a span may go on behind Sunday.
std::array<bool, 7> days_of(std::string_view word) {
    std::array<bool, 7> days{};
    for (const auto part : split(word, ',')) {
        const auto dash = part.find('-');
        const auto first = day_index(part.substr(0, dash), word);
        const auto last = dash == std::string_view::npos ? first : day_index(part.substr(dash + 1), word);
        for (auto day = first;; day = (day + 1) % days.size()) {
            days.at(day) = true;
            if (day == last) break;
        }
    }
    return days;
}

RuleTime::Hours hours_of(std::string_view word) {
    const auto dash = word.find('-');
    const auto begin = parse_time_of_day(word.substr(0, dash));
    const auto end = dash == std::string_view::npos ? std::nullopt : parse_time_of_day(word.substr(dash + 1));
    if (!begin || !end || *begin == whole_day) refuse_word(word, "are no hours: they are written 08:00-18:00");
    if (*begin == *end) refuse_word(word, "is no time at all: leave the hours out to mean the whole day");
    return {*begin, *end};
}

minutes zone_of(std::string_view word) {
    if (word.size() == 3) return minutes(0);
    const auto zone = parse_utc_offset(word.substr(3));
    if (!zone) refuse_word(word, "is no time zone: it is written UTC, UTC+01:00 or UTC-05:30");
    return *zone;
}

// Reads word after word, and refuses what comes twice.
class TimeReader {
 public:
    void take(std::string_view word) {
        const auto small = lower_case(word);
        if (waiting_ != nullptr)
            take_date(word);
        else if (small == "from" || small == "until")
            waiting_ = small == "from" ? &time_.first : &time_.last;
        else if (small.starts_with("utc"))
            time_.zone = zone_of(once(has_zone_, word));
        else if (word.find(':') != std::string_view::npos)
            time_.hours = hours_of(once(has_hours_, word));
        else
            time_.days = days_of(once(has_days_, word));
    }
    RuleTime result() const {
        if (waiting_ != nullptr) refuse_word(waiting_ == &time_.first ? "from" : "until", "wants a date behind it");
        if (!has_zone_) throw Failure(Errc::usage, "days, hours and dates need a time zone: UTC, UTC+01:00, UTC-05:30");
        if (time_.first && time_.last && *time_.last < *time_.first)
            throw Failure(Errc::usage, "the date behind until is before the one behind from");
        return time_;
    }

 private:
    static std::string_view once(bool& seen, std::string_view word) {
        if (std::exchange(seen, true)) refuse_word(word, "says again what was said already; use a second rule instead");
        return word;
    }
    void take_date(std::string_view word) {
        const auto day = parse_full_date(word);
        if (!day) refuse_word(word, "is no date: it is written 2026-12-31");
        if (*waiting_) refuse_word(word, "is a second date of its sort");
        *std::exchange(waiting_, nullptr) = *day;
    }

    RuleTime time_;
    std::optional<sys_days>* waiting_ = nullptr;
    bool has_zone_ = false, has_hours_ = false, has_days_ = false;
};

// Spans of days, each as short as it can be said.
std::string days_text(const std::array<bool, 7>& days) {
    std::string text;
    for (std::size_t day = 0; day < days.size(); ++day) {
        if (!days.at(day)) continue;
        const auto first = day;
        while (day + 1 < days.size() && days.at(day + 1)) ++day;
        text += (text.empty() ? "" : ",") + std::string(day_names.at(first));
        if (day > first) text += (day == first + 1 ? "," : "-") + std::string(day_names.at(day));
    }
    return text;
}

std::string zone_text(minutes zone) {
    if (zone == minutes(0)) return "UTC";
    return zone < minutes(0) ? "UTC-" + format_time_of_day(-zone) : "UTC+" + format_time_of_day(zone);
}

bool is_on(const std::array<bool, 7>& days, sys_days day) {
    return days.at(std::chrono::weekday(day).iso_encoding() - 1);
}

}  // namespace

bool RuleTime::contains(std::int64_t unix_seconds) const {
    const auto local = sys_seconds(std::chrono::seconds(unix_seconds)) + zone;
    const auto today = std::chrono::floor<std::chrono::days>(local);
    const auto time = local - today;
    if ((first && today < *first) || (last && today > *last)) return false;
    if (!hours) return is_on(days, today);
    if (hours->begin < hours->end) return is_on(days, today) && time >= hours->begin && time < hours->end;
    return (time >= hours->begin && is_on(days, today)) ||
           (time < hours->end && is_on(days, today - std::chrono::days(1)));
}

std::string to_string(const RuleTime& time) {
    std::string text;
    const auto add = [&text](const std::string& word) { text += (text.empty() ? "" : " ") + word; };
    if (std::ranges::find(time.days, false) != time.days.end()) add(days_text(time.days));
    if (time.hours) add(format_time_of_day(time.hours->begin) + "-" + format_time_of_day(time.hours->end));
    add(zone_text(time.zone));
    if (time.first) add("from " + format_full_date(*time.first));
    if (time.last) add("until " + format_full_date(*time.last));
    return text;
}

RuleTime parse_rule_time(std::string_view words) {
    TimeReader reader;
    for (const auto word : split(words, ' '))
        if (!word.empty()) reader.take(word);
    return reader.result();
}

std::int64_t parse_moment(std::string_view text) {
    const auto moment = parse_rfc3339(text);
    if (!moment) refuse_word(text, "is no time: it is written 2026-11-26T22:30Z or 2026-11-26T22:30:00+01:00");
    return moment->time_since_epoch().count();
}

std::string moment_text(std::int64_t unix_seconds) {
    return format_rfc3339(sys_seconds(std::chrono::seconds(unix_seconds)));
}

}  // namespace device_streams::hub
