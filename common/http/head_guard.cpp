#include "common/http/head_guard.hpp"

#include "common/http/connection.hpp"
#include "common/text/amqp_header.hpp"
#include "common/text/ascii.hpp"
#include "common/text/decimal.hpp"
#include "common/text/parts.hpp"

#include <websocketpp/http/constants.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace device_streams::http {

namespace {

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return websocketpp::http::is_token_char(static_cast<unsigned char>(c));
    });
}

bool is_number(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_digit);
}

bool is_forbidden_control(char c) {
    return is_control_character(c) && c != '\t' && c != '\r' && c != '\n';
}

}  // namespace

std::optional<std::size_t> HeadScanner::scan(std::string_view bytes) {
    for (; scanned_ < bytes.size(); ++scanned_) {
        const char c = bytes[scanned_];
        const bool after_cr = scanned_ > 0 && bytes[scanned_ - 1] == '\r';
        if (scanned_ >= head_limit) throw MessageError(431, "the head is longer than 16000 bytes");
        if (after_cr != (c == '\n')) throw MessageError(400, "a line of the head does not end in CR LF");
        if (is_forbidden_control(c) && begins_as_amqp(bytes)) throw AmqpInstead();
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
            if (!equal_ignoring_case(name, only_once[i])) continue;
            if (std::exchange(seen[i], true)) throw MessageError(400, std::string(only_once[i]) + " is repeated");
        }
        // websocketpp reads lengths with strtoul, which takes signs and stops at the first letter.
        if (equal_ignoring_case(name, "Content-Length") && !is_number(trim(line.substr(colon + 1))))
            throw MessageError(400, "Content-Length is not a number");
        lines.remove_prefix(std::min(lines.size(), line.size() + 2));
    }
}

BodyFraming body_framing(const Headers& headers) {
    const auto length = headers.find("Content-Length");
    const auto coding = headers.find("Transfer-Encoding");
    if (length && coding) throw MessageError(400, "both Content-Length and Transfer-Encoding are given");
    if (coding) {
        if (!equal_ignoring_case(*coding, "chunked"))
            throw MessageError(501, "the only transfer coding understood is chunked");
        return {BodyFraming::chunked, 0};
    }
    if (!length) return {};
    if (!is_number(*length)) throw MessageError(400, "Content-Length is not a number");
    const auto size = parse_decimal<std::size_t>(*length);
    if (!size) throw MessageError(413, "Content-Length is out of range");
    return {BodyFraming::length, *size};
}

}  // namespace device_streams::http
