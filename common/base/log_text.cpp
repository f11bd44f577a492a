#include "common/base/log_text.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdint>

namespace device_streams {

namespace {

/// The length of the UTF-8 sequence at the start of `text` and its code point; length 0 when it is none.
struct CodePoint {
    std::size_t length = 0;
    std::uint32_t value = 0;
};

CodePoint decode_utf8(std::string_view text) {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(0);
    if (first < 0x80) return {1, first};
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
    std::uint32_t value = first & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) return {};
        value = value << 6U | (byte(i) & 0x3fU);
    }
    constexpr std::uint32_t shortest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < shortest[length] || value > 0x10ffff || surrogate) return {};
    return {length, value};
}

bool is_harmless(std::uint32_t code_point) {
    if (code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0)) return false;
    const bool separator_or_direction = (code_point >= 0x2028 && code_point <= 0x202e) ||
                                        (code_point >= 0x2066 && code_point <= 0x2069) || code_point == 0x200e ||
                                        code_point == 0x200f || code_point == 0x061c || code_point == 0xfeff;
    return !separator_or_direction;
}

void append_escaped(std::string& out, std::string_view bytes) {
    for (const char c : bytes) {
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\r') {
            out += "\\r";
        } else if (c == '\t') {
            out += "\\t";
        } else {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
}

std::string human_value(const LogField& field) {
    auto value = escape_control_characters(field.value);
    const bool plain = !value.empty() && value.find_first_of(" \"=") == std::string::npos;
    if (field.is_number || plain) return value;
    std::string quoted = "\"";
    for (const char c : value) {
        if (c == '"') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

nlohmann::ordered_json json_value(const LogField& field) {
    if (!field.is_number) return field.value;
    auto number = nlohmann::ordered_json::parse(field.value, nullptr, false);
    return number.is_number() ? number : nlohmann::ordered_json(field.value);  // JSON has no infinity
}

int priority(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return 7;
        case LogLevel::info:
            return 6;
        case LogLevel::warning:
            return 4;
        case LogLevel::error:
            break;
    }
    return 3;
}

}  // namespace

std::string escape_control_characters(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto [length, code_point] = decode_utf8(text);
        const auto bytes = text.substr(0, std::max<std::size_t>(length, 1));
        if (length > 0 && is_harmless(code_point)) {
            out += bytes;
        } else {
            append_escaped(out, bytes);
        }
        text.remove_prefix(bytes.size());
    }
    return out;
}

std::size_t find_invalid_utf8(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const auto length = decode_utf8(text.substr(at)).length;
        if (length == 0) return at;
        at += length;
    }
    return std::string_view::npos;
}

std::string_view to_string(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return "debug";
        case LogLevel::info:
            return "info";
        case LogLevel::warning:
            return "warning";
        case LogLevel::error:
            break;
    }
    return "error";
}

std::string human_line(std::string_view message, const std::vector<LogField>& fields) {
    auto line = escape_control_characters(message);
    for (const auto& field : fields) line += ' ' + escape_control_characters(field.name) + '=' + human_value(field);
    return line;
}

std::string journald_line(LogLevel level, std::string_view message, const std::vector<LogField>& fields) {
    return fmt::format("<{}>{}", priority(level), human_line(message, fields));
}

std::string json_line(LogLevel level, std::string_view message, const std::vector<LogField>& fields,
                      std::chrono::system_clock::time_point when) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(when);
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(when - seconds).count();
    nlohmann::ordered_json line;
    line["time"] = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), milliseconds);
    line["level"] = to_string(level);
    line["message"] = message;
    for (const auto& field : fields) {
        const bool reserved = field.name == "time" || field.name == "level" || field.name == "message";
        line[reserved ? field.name + "_" : field.name] = json_value(field);
    }
    return line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace device_streams
