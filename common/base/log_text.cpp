#include "common/base/log_text.hpp"

#include "common/text/rfc3339.hpp"
#include "common/text/utf8.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace device_streams {

namespace {

bool is_harmless(char32_t code_point) {
    if (code_point == U'\\') return false;  // or what was escaped could not be told from what was written so
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
        } else if (c == '\\') {
            out += "\\\\";
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
    nlohmann::ordered_json line;
    line["time"] = format_rfc3339(when, 3);
    line["level"] = to_string(level);
    line["message"] = message;
    for (const auto& field : fields) {
        const bool reserved = field.name == "time" || field.name == "level" || field.name == "message";
        line[reserved ? field.name + "_" : field.name] = json_value(field);
    }
    return line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace device_streams
