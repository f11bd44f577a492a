#include "common/config/values.hpp"

#include "common/config/suggestions.hpp"
#include "common/text/decimal.hpp"

#include <array>
#include <cstdlib>
#include <optional>

namespace device_streams {

namespace {

using std::chrono::milliseconds;

struct Unit {
    std::string_view name;
    std::int64_t in_milliseconds;
};
// Largest first, as to_string tries them; "ms" before "s" and "m" would not matter: units are compared whole.
constexpr std::array units{Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000}, Unit{"ms", 1}};

struct ByteUnit {
    std::string_view name;
    std::int64_t in_bytes;
};
constexpr std::array byte_units{ByteUnit{"TB", 1'000'000'000'000}, ByteUnit{"GB", 1'000'000'000},
                                ByteUnit{"MB", 1'000'000}, ByteUnit{"kB", 1'000}, ByteUnit{"", 1}};

void refuse_empty(std::string_view text) {
    if (text.empty()) throw BadValue("it is empty");
}

// Only this variable, and only in front: a path means what it says everywhere else.
std::filesystem::path with_credentials_directory(std::string_view text) {
    constexpr std::string_view variable = "$CREDENTIALS_DIRECTORY/";
    const char* folder = text.starts_with(variable) ? std::getenv("CREDENTIALS_DIRECTORY") : nullptr;
    if (folder == nullptr || *folder == '\0') return text;
    return std::filesystem::path(folder) / text.substr(variable.size());
}

}  // namespace

namespace detail {

std::int64_t parse_whole_number(std::string_view text, std::int64_t least, std::int64_t most) {
    const auto number = parse_decimal<std::int64_t>(text);
    if (!number) throw BadValue(shown(text) + " is not a whole number");
    if (*number < least || *number > most) throw BadValue(shown(text) + " is out of range");
    return *number;
}

milliseconds parse_duration(std::string_view text) {
    const auto unit_at = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_decimal<std::int64_t>(text.substr(0, unit_at));
    const auto unit = std::ranges::find(units, text.substr(unit_at), &Unit::name);
    if (!number || unit == units.end()) {
        throw BadValue(shown(text) + " is not a duration: a whole number and ms, s, m or h without a space, as in 30s");
    }
    if (*number > std::numeric_limits<std::int64_t>::max() / unit->in_milliseconds)
        throw BadValue(shown(text) + " is out of range");
    return milliseconds(*number * unit->in_milliseconds);
}

void check_duration(std::string_view text, milliseconds value, milliseconds least, milliseconds most,
                    milliseconds unit) {
    if (value < least || value > most) throw BadValue(shown(text) + " is out of range");
    if (value % unit != milliseconds(0)) throw BadValue(shown(text) + " has a fraction of " + to_string(unit));
}

std::string joined_names(const std::vector<std::string>& names) {
    return listed(names);
}

void refuse_choice(std::string_view text, const std::vector<std::string>& names) {
    const auto meant = nearest(text, names);
    throw BadValue(shown(text) + " is not known" + (meant.empty() ? "" : " (did you mean \"" + meant + "\"?)"));
}

}  // namespace detail

std::string to_string(milliseconds duration) {
    if (duration.count() == 0) return "0s";
    for (const auto& unit : units) {
        if (duration.count() % unit.in_milliseconds == 0)
            return std::to_string(duration.count() / unit.in_milliseconds) + std::string(unit.name);
    }
    return std::to_string(duration.count()) + "ms";
}

ValueKind<bool> boolean() {
    return choice<bool>({{"true", true}, {"false", false}});
}

ValueKind<std::string> text(std::string allowed, std::function<bool(std::string_view)> is_allowed) {
    const auto parse = [is_allowed](const RawValue& raw) {
        refuse_empty(raw.text);
        const bool one_line = raw.text.find_first_of("\r\n") == std::string_view::npos;
        if (!one_line || (is_allowed && !is_allowed(raw.text))) throw BadValue(shown(raw.text) + " is not possible");
        return std::string(raw.text);
    };
    return {.type = "text", .allowed = std::move(allowed), .parse = parse, .print = [](const std::string& value) {
                return value;
            }};
}

ValueKind<std::string> path() {
    const auto parse = [](const RawValue& raw) {
        refuse_empty(raw.text);
        return (raw.base / with_credentials_directory(raw.text)).lexically_normal().string();
    };
    return {.type = "path", .allowed = "", .parse = parse, .print = [](const std::string& value) { return value; }};
}

ValueKind<Secret> secret_text() {
    const auto parse = [](const RawValue& raw) {
        refuse_empty(raw.text);
        return Secret(std::string(raw.text));
    };
    return {.type = "secret text", .allowed = "", .parse = parse, .print = [](const Secret&) { return std::string(); }};
}

ValueKind<Endpoint> endpoint(EndpointUse use) {
    const auto parse = [use](const RawValue& raw) {
        auto parsed = parse_endpoint(raw.text);
        if (!parsed) throw BadValue(shown(raw.text) + " is not an address with port");
        if (use == EndpointUse::connect && !parsed->is_unix() && parsed->port == 0)
            throw BadValue(shown(raw.text) + " has port 0, which nothing can connect to");
        if (parsed->is_unix()) {
            // Checked again with the folder in front: the path of a socket is limited.
            parsed = parse_endpoint("unix:" + (raw.base / parsed->path).lexically_normal().string());
            if (!parsed) throw BadValue(shown(raw.text) + " is too long a path for a Unix socket with its folder");
        }
        return *parsed;
    };
    return {.type = "address",
            .allowed = "host:port, [IPv6]:port or unix:path",
            .parse = parse,
            .print = [](const Endpoint& value) { return value.to_string(); }};
}

ValueKind<std::optional<Endpoint>> endpoint_or_off() {
    constexpr std::string_view off = "off";
    const auto on = endpoint(EndpointUse::listen);
    return {.type = on.type,
            .allowed = on.allowed + ", or off",
            .parse = [on, off](
                         const RawValue& raw) { return raw.text == off ? std::nullopt : std::optional(on.parse(raw)); },
            .print = [on, off](const auto& value) { return value ? on.print(*value) : std::string(off); }};
}

ValueKind<std::uint16_t> segment_size() {
    return whole_number<std::uint16_t>(536, 32767);
}

ValueKind<ProxyUrl> proxy_url() {
    const auto parse = [](const RawValue& raw) {
        refuse_empty(raw.text);
        try {
            return parse_proxy_url(raw.text);
        } catch (const std::invalid_argument& wrong) {
            throw BadValue(wrong.what());
        }
    };
    return {.type = "URL",
            .allowed =
                "http://[user:password@]host:port, https://... or socks5h://..., special characters of user and "
                "password as "
                "%XX",
            .parse = parse,
            .print = [](const ProxyUrl& value) { return value.to_string(); }};
}

ValueKind<NoProxy> no_proxy_list() {
    auto words = text("names, addresses and CIDR blocks with commas between, or *");
    return {.type = words.type,
            .allowed = words.allowed,
            .parse = [words](const RawValue& raw) { return NoProxy(words.parse(raw)); },
            .print = [](const NoProxy& value) { return value.text(); }};
}

ValueKind<std::uint16_t> port() {
    auto kind = whole_number<std::uint16_t>(1, 65535);
    kind.type = "port";
    return kind;
}

ValueKind<std::uint64_t> byte_count() {
    const auto parse = [](const RawValue& raw) {
        const auto unit_at = std::min(raw.text.find_first_not_of("0123456789"), raw.text.size());
        const auto number = parse_decimal<std::int64_t>(raw.text.substr(0, unit_at));
        const auto unit = std::ranges::find(byte_units, raw.text.substr(unit_at), &ByteUnit::name);
        if (!number || unit == byte_units.end())
            throw BadValue(shown(raw.text) +
                           " is not a number of bytes: a whole number, and kB, MB, GB or TB without a space");
        if (*number > std::numeric_limits<std::int64_t>::max() / unit->in_bytes)
            throw BadValue(shown(raw.text) + " is out of range");
        return static_cast<std::uint64_t>(*number * unit->in_bytes);
    };
    const auto print = [](const std::uint64_t& value) {
        const auto fits = [value](const ByteUnit& unit) {
            return value != 0 && value % static_cast<std::uint64_t>(unit.in_bytes) == 0;
        };
        const auto unit = std::ranges::find_if(byte_units, fits);
        if (unit == byte_units.end()) return std::string("0");
        return std::to_string(value / static_cast<std::uint64_t>(unit->in_bytes)) + std::string(unit->name);
    };
    return {.type = "bytes", .allowed = "as 300MB or 2TB", .parse = parse, .print = print};
}

}  // namespace device_streams
