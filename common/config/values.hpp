#pragma once

#include "common/base/endpoint.hpp"
#include "common/base/no_proxy.hpp"
#include "common/base/proxy_url.hpp"
#include "common/base/secret.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The kinds of values a setting can have: how they are written, checked and printed.
namespace device_streams {

/// A value as it was written, and the folder that relative paths start from.
struct RawValue {
    std::string_view text;
    std::filesystem::path base;
};

/// What is wrong with a value, as a clause that repeats no secret: `"soon" is not a duration`.
struct BadValue : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

template <typename T>
struct ValueKind {
    std::string type;                         ///< "duration"
    std::string allowed;                      ///< "100ms..5m"; with the type it tells all that is allowed
    std::function<T(const RawValue&)> parse;  ///< throws BadValue
    std::function<std::string(const T&)> print;
};

/// true or false.
ValueKind<bool> boolean();
/// Any text of one line that is not empty and satisfies `is_allowed`, which `allowed` describes.
ValueKind<std::string> text(std::string allowed = "", std::function<bool(std::string_view)> is_allowed = {});
/// A file or folder; what is not absolute starts from the configuration file's folder (on the command line: from here).
/// One that begins with $CREDENTIALS_DIRECTORY/ lies where the service manager puts secrets for this program
/// (LoadCredential= of systemd); it stays as written when there is no such folder.
ValueKind<std::string> path();
/// Text that is never repeated in messages.
ValueKind<Secret> secret_text();
/// host:port or unix:path; port 0 (the system chooses) is for listening only.
enum class EndpointUse { listen, connect };
ValueKind<Endpoint> endpoint(EndpointUse use);
/// Where to listen, or `off`, which is nullopt.
ValueKind<std::optional<Endpoint>> endpoint_or_off();

/// Bytes of TCP payload in a packet, as Linux takes them for TCP_MAXSEG; below 536 IPv4 has no use for it (RFC 9293).
ValueKind<std::uint16_t> segment_size();
/// See parse_proxy_url; printed without credentials.
ValueKind<ProxyUrl> proxy_url();
ValueKind<NoProxy> no_proxy_list();

namespace detail {
std::int64_t parse_whole_number(std::string_view text, std::int64_t least, std::int64_t most);
std::chrono::milliseconds parse_duration(std::string_view text);
void check_duration(std::string_view text, std::chrono::milliseconds value, std::chrono::milliseconds least,
                    std::chrono::milliseconds most, std::chrono::milliseconds unit);
}  // namespace detail

/// "90s" as "90s", "60s" as "1m": the largest unit without a fraction.
std::string to_string(std::chrono::milliseconds duration);

/// Decimal digits only.
template <typename Number>
ValueKind<Number> whole_number(Number least, Number most) {
    return {.type = "number",
            .allowed = std::to_string(least) + ".." + std::to_string(most),
            .parse =
                [least, most](const RawValue& raw) {
                    return static_cast<Number>(detail::parse_whole_number(raw.text, static_cast<std::int64_t>(least),
                                                                          static_cast<std::int64_t>(most)));
                },
            .print = [](const Number& value) { return std::to_string(value); }};
}

ValueKind<std::uint16_t> port();

/// A whole number of bytes, alone or with kB, MB, GB or TB (thousands).
ValueKind<std::uint64_t> byte_count();

/// A whole number with unit: 500ms, 30s, 5m, 1h.
template <typename Duration = std::chrono::milliseconds>
ValueKind<Duration> duration(Duration least, Duration most) {
    return {.type = "duration",
            .allowed = to_string(least) + ".." + to_string(most),
            .parse =
                [least, most](const RawValue& raw) {
                    const auto value = detail::parse_duration(raw.text);
                    detail::check_duration(raw.text, value, least, most, Duration(1));
                    return std::chrono::duration_cast<Duration>(value);
                },
            .print = [](const Duration& value) { return to_string(value); }};
}

namespace detail {
std::string joined_names(const std::vector<std::string>& names);
[[noreturn]] void refuse_choice(std::string_view text, const std::vector<std::string>& names);
}  // namespace detail

/// One of several words.
template <typename Enum>
ValueKind<Enum> choice(std::vector<std::pair<std::string, Enum>> choices) {
    std::vector<std::string> names;
    names.reserve(choices.size());
    for (const auto& [name, value] : choices) names.push_back(name);
    return {.type = "word",
            .allowed = detail::joined_names(names),
            .parse =
                [choices, names](const RawValue& raw) {
                    const auto found = std::ranges::find(choices, raw.text, [](const auto& row) { return row.first; });
                    if (found == choices.end()) detail::refuse_choice(raw.text, names);
                    return found->second;
                },
            .print =
                [choices](const Enum& value) {
                    return std::ranges::find(choices, value, [](const auto& row) { return row.second; })->first;
                }};
}

}  // namespace device_streams
