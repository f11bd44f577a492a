#include "common/config/secret_files.hpp"

#include "common/base/error.hpp"
#include "common/base/file_readers.hpp"
#include "common/base/read_file.hpp"
#include "common/text/ascii.hpp"
#include "common/text/parts.hpp"

#include <vector>

namespace device_streams {

namespace {

constexpr std::size_t longest_secret_file = 16 * 1024;
constexpr std::string_view blanks = " \t\r\n";

// What Windows' tools write in front of UTF-16 and UTF-8.
constexpr std::string_view little_endian = "\xFF\xFE", big_endian = "\xFE\xFF", utf8_mark = "\xEF\xBB\xBF";

// nullopt: there are letters beyond ASCII in it, which no secret of ours has, or it is cut short.
std::optional<std::string> from_utf16(std::string_view bytes, std::size_t low_byte) {
    std::string text;
    if (bytes.size() % 2 != 0) return std::nullopt;
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        const char low = bytes[i + low_byte], high = bytes[i + 1 - low_byte];
        if (high != 0 || static_cast<unsigned char>(low) > 0x7F) return std::nullopt;
        text += low;
    }
    return text;
}

std::optional<std::string> to_utf8(std::string bytes) {
    const std::string_view all = bytes;
    if (all.starts_with(little_endian)) return from_utf16(all.substr(2), 0);
    if (all.starts_with(big_endian)) return from_utf16(all.substr(2), 1);
    if (all.find('\0') != std::string_view::npos) return std::nullopt;
    if (all.starts_with(utf8_mark)) bytes.erase(0, utf8_mark.size());
    return bytes;
}

std::optional<std::string> read_secret_file(const std::string& key, const std::string& path, ParseContext& reading) {
    try {
        auto text = to_utf8(read_file(path, longest_secret_file));
        if (!text) reading.fault(key, "the file is not plain text, allowed: ASCII or UTF-8");
        warn_if_others_can_read(key, path, reading);
        return text;
    } catch (const Failure& failure) {
        reading.fault(key, "cannot be read: " + failure.detail());
        return std::nullopt;
    }
}

std::string_view without_quotes(std::string_view text) {
    const bool quoted =
        text.size() >= 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\'');
    return quoted ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

std::optional<Secret> read_secret_line(const std::string& key, const std::string& path, const std::string& what,
                                       ParseContext& reading) {
    auto text = read_secret_file(key, path, reading);
    if (!text) return std::nullopt;
    text->resize(trim_end(*text, blanks).size());
    const bool one_line = !text->empty() && text->find_first_of("\r\n") == std::string::npos;
    if (!one_line) reading.fault(key, "the file must hold one line, allowed: " + what + " and nothing else");
    return one_line ? std::optional(Secret(std::move(*text))) : std::nullopt;
}

std::optional<Secret> read_connection_string(const std::string& key, const std::string& path, ParseContext& reading) {
    const auto text = read_secret_file(key, path, reading);
    if (!text) return std::nullopt;
    std::vector<std::string_view> found;
    for (const auto line : split(*text, '\n')) {
        const auto trimmed = trim(line, blanks);
        if (!trimmed.empty() && !trimmed.starts_with('#')) found.push_back(trimmed);
    }
    if (found.size() == 1 && !found.front().starts_with('{')) return Secret(std::string(without_quotes(found.front())));
    if (!found.empty() && found.front().starts_with('{'))
        reading.fault(key,
                      "the file holds JSON, allowed: the connection string in it alone (az prints that with -o tsv)");
    else
        reading.fault(key, "the file holds " + std::to_string(found.size()) +
                               " lines beside comments, allowed: one, with a connection string");
    return std::nullopt;
}

void warn_if_others_can_read(const std::string& key, const std::string& path, ParseContext& reading) {
    if (others_can_read(path))
        reading.warn(key, "every user of this machine can read " + path + ", which holds a secret; chmod o= " + path);
}

}  // namespace device_streams
