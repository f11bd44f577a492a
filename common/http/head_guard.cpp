#include "common/http/head_guard.hpp"

#include "common/http/connection.hpp"

#include <websocketpp/http/constants.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace device_streams::http {

namespace {

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return websocketpp::http::is_token_char(static_cast<unsigned char>(c));
    });
}

bool is_number(std::string_view field_value) {
    const auto first = std::min(field_value.find_first_not_of(" \t"), field_value.size());
    const auto digits = field_value.substr(first, field_value.find_last_not_of(" \t") + 1 - first);
    return !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_forbidden_control(char c) {
    const auto value = static_cast<unsigned char>(c);
    return (value < 0x20 && c != '\t' && c != '\r' && c != '\n') || value == 0x7f;
}

}  // namespace

std::optional<std::size_t> HeadScanner::scan(std::string_view bytes) {
    for (; scanned_ < bytes.size(); ++scanned_) {
        const char c = bytes[scanned_];
        const bool after_cr = scanned_ > 0 && bytes[scanned_ - 1] == '\r';
        if (scanned_ >= head_limit) throw MessageError(431, "the head is longer than 16000 bytes");
        if (after_cr != (c == '\n')) throw MessageError(400, "a line of the head does not end in CR LF");
        if (is_forbidden_control(c)) throw MessageError(400, "the head holds a control character");
        if (c != '\n') continue;
        if (scanned_ == line_start_ + 1) return scanned_ + 1;
        line_start_ = scanned_ + 1;
    }
    return std::nullopt;
}

void check_field_lines(std::string_view lines) {
    constexpr std::array<std::string_view, 3> only_once{"Content-Length", "Transfer-Encoding", "Host"};
    std::array<bool, only_once.size()> seen{};
    while (!lines.starts_with("\r\n")) {
        const auto line = lines.substr(0, lines.find("\r\n"));
        if (line.empty()) throw MessageError(400, "the head has no empty line at its end");
        const auto colon = line.find(':');
        const auto name = line.substr(0, colon);
        if (colon == std::string_view::npos || !is_token(name)) throw MessageError(400, "a header line has no name");
        for (std::size_t i = 0; i < only_once.size(); ++i) {
            if (!same_token(name, only_once[i])) continue;
            if (std::exchange(seen[i], true)) throw MessageError(400, std::string(only_once[i]) + " is repeated");
        }
        // websocketpp reads lengths with strtoul, which takes signs and stops at the first letter.
        if (same_token(name, "Content-Length") && !is_number(line.substr(colon + 1)))
            throw MessageError(400, "Content-Length is not a number");
        lines.remove_prefix(std::min(lines.size(), line.size() + 2));
    }
}

BodyFraming body_framing(const Headers& headers) {
    const auto length = headers.find("Content-Length");
    const auto coding = headers.find("Transfer-Encoding");
    if (length && coding) throw MessageError(400, "both Content-Length and Transfer-Encoding are given");
    if (coding) {
        if (!same_token(*coding, "chunked")) throw MessageError(501, "the only transfer coding understood is chunked");
        return {BodyFraming::chunked, 0};
    }
    if (!length) return {};
    BodyFraming framing{BodyFraming::length, 0};
    const auto* const end = length->data() + length->size();
    const auto [stop, failure] = std::from_chars(length->data(), end, framing.size);
    if (failure == std::errc::result_out_of_range) throw MessageError(413, "Content-Length is out of range");
    if (stop != end || failure != std::errc()) throw MessageError(400, "Content-Length is not a number");
    return framing;
}

}  // namespace device_streams::http
