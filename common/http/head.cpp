#include "common/base/error.hpp"
#include "common/http/connection.hpp"
#include "common/http/head_guard.hpp"
#include "common/text/ascii.hpp"
#include "common/text/parts.hpp"

#include <websocketpp/http/request.hpp>
#include <websocketpp/http/response.hpp>

#include <algorithm>
#include <array>

namespace device_streams::http {

namespace {

namespace parser = websocketpp::http::parser;

/// Checks the raw head and returns its first line; what is left is safe for websocketpp's parser.
std::string_view checked_start_line(std::string_view head) {
    HeadScanner scanner;
    if (scanner.scan(head) != head.size()) throw MessageError(400, "that is not one whole head");
    const auto line = head.substr(0, head.find("\r\n"));
    if (line.empty()) throw MessageError(400, "the head has no first line");
    check_field_lines(head.substr(line.size() + 2));
    return line;
}

template <typename Message>
void consume(Message& message, const std::string& head) {
    try {
        message.consume(head.data(), head.size());
    } catch (const websocketpp::http::exception& refused) {
        throw MessageError(refused.m_error_code, refused.what());
    }
}

bool has_field(std::string_view head, std::string_view name) {
    while (!head.empty()) {
        const auto line = take_until(head, '\n');
        if (equal_ignoring_case(line.substr(0, line.find(':')), name)) return true;
    }
    return false;
}

// Behind all others; `head` ends with its empty line.
std::string with_field(std::string_view head, std::string_view field) {
    std::string text(head.substr(0, head.size() - 2));
    return text.append(field).append("\r\n");
}

Headers headers_of(const parser::parser& parsed) {
    Headers headers;
    for (const auto& [name, value] : parsed.get_headers()) headers.add(name, value);
    return headers;
}

/// 0 or 1 for HTTP/1.0 and HTTP/1.1.
int minor_version(const std::string& version) {
    if (version == "HTTP/1.1") return 1;
    if (version == "HTTP/1.0") return 0;
    const bool other_version = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.';
    throw MessageError(other_version ? 505 : 400, "the protocol is not HTTP/1.1");
}

bool keeps_alive(const Headers& headers, int minor) {
    return minor == 1 ? !headers.has_token("Connection", "close") : headers.has_token("Connection", "keep-alive");
}

void check_framing(const Headers& headers, int minor) {
    if (body_framing(headers).kind == BodyFraming::chunked && minor == 0)
        throw MessageError(400, "HTTP/1.0 knows no chunked bodies");
}

// The three digits of a status (RFC 9110 section 15) and what may stand behind them.
int status_at(std::string_view text) {
    const bool well_formed = text.size() >= 3 && text[0] >= '1' && text[0] <= '5' && is_digit(text[1]) &&
                             is_digit(text[2]) && (text.size() == 3 || text[3] == ' ');
    if (!well_formed) throw MessageError(400, "the status is not a number from 100 to 599");
    return 100 * (text[0] - '0') + 10 * (text[1] - '0') + (text[2] - '0');
}

void check_for_injection(std::string_view text) {
    if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
        throw Failure(Errc::internal, "a line break inside an HTTP header");
}

void append_fields(std::string& text, const Headers& headers) {
    for (const auto& [name, value] : headers.fields()) {
        check_for_injection(name);
        check_for_injection(value);
        text.append(name).append(": ").append(value).append("\r\n");
    }
}

void append_length(std::string& text, const Headers& headers, std::size_t size) {
    if (!headers.find("Content-Length")) text.append("Content-Length: ").append(std::to_string(size)).append("\r\n");
}

struct Reason {
    int status;
    std::string_view text;
};
constexpr std::array reasons{
    Reason{100, "Continue"},
    Reason{101, "Switching Protocols"},
    Reason{200, "OK"},
    Reason{201, "Created"},
    Reason{202, "Accepted"},
    Reason{204, "No Content"},
    Reason{304, "Not Modified"},
    Reason{400, "Bad Request"},
    Reason{401, "Unauthorized"},
    Reason{403, "Forbidden"},
    Reason{404, "Not Found"},
    Reason{405, "Method Not Allowed"},
    Reason{406, "Not Acceptable"},
    Reason{408, "Request Timeout"},
    Reason{409, "Conflict"},
    Reason{410, "Gone"},
    Reason{412, "Precondition Failed"},
    Reason{413, "Content Too Large"},
    Reason{414, "URI Too Long"},
    Reason{415, "Unsupported Media Type"},
    Reason{417, "Expectation Failed"},
    Reason{426, "Upgrade Required"},
    Reason{429, "Too Many Requests"},
    Reason{431, "Request Header Fields Too Large"},
    Reason{500, "Internal Server Error"},
    Reason{501, "Not Implemented"},
    Reason{502, "Bad Gateway"},
    Reason{503, "Service Unavailable"},
    Reason{504, "Gateway Timeout"},
    Reason{505, "HTTP Version Not Supported"},
};

}  // namespace

Request parse_request_head(std::string_view head) {
    const auto line = checked_start_line(head);
    if (std::ranges::count(line, ' ') != 2 || line.front() == ' ')
        throw MessageError(400, "the request line has not three parts");
    // websocketpp wants a Host of every request, and HTTP/1.0 knows none.
    const bool stands_in = line.ends_with(" HTTP/1.0") && !has_field(head, "Host");
    parser::request parsed;
    consume(parsed, stands_in ? with_field(head, "Host: -\r\n") : std::string(head));
    if (stands_in) parsed.remove_header("Host");
    Request request;
    request.method = parsed.get_method();
    request.target = parsed.get_uri();
    request.headers = headers_of(parsed);
    request.minor_version = minor_version(parsed.get_version());
    if (request.target.empty() || !std::ranges::all_of(request.target, is_visible))
        throw MessageError(400, "the request target is not printable ASCII");
    check_framing(request.headers, request.minor_version);
    request.keep_alive = keeps_alive(request.headers, request.minor_version);
    return request;
}

Response parse_response_head(std::string_view head) {
    const auto line = checked_start_line(head);
    const auto status_begin = std::min(line.size(), line.find(' ') + 1);
    Response response;
    response.status = status_at(line.substr(status_begin));
    std::string text(head);
    // Servers leave out the blank in front of an empty reason; websocketpp insists on it, and its enumeration of the
    // codes has no room for those above 511.
    if (line.size() == status_begin + 3) text.insert(line.size(), " ");
    text.replace(status_begin, 3, "200");
    parser::response parsed;
    consume(parsed, text);
    const int minor = minor_version(parsed.get_version());
    response.reason = parsed.get_status_msg();
    response.headers = headers_of(parsed);
    check_framing(response.headers, minor);
    response.keep_alive = keeps_alive(response.headers, minor);
    return response;
}

std::string serialize(const Request& request) {
    check_for_injection(request.method);
    check_for_injection(request.target);
    std::string text = request.method + " " + request.target + " HTTP/1.1\r\n";
    append_fields(text, request.headers);
    if (!request.keep_alive) text += "Connection: close\r\n";
    // RFC 9110 section 8.6: a POST says so when it has no body.
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT")
        append_length(text, request.headers, request.body.size());
    return text + "\r\n" + request.body;
}

std::string serialize(const Response& response) {
    const auto reason = response.reason.empty() ? reason_phrase(response.status) : std::string_view(response.reason);
    check_for_injection(reason);
    std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
    text.append(reason).append("\r\n");
    append_fields(text, response.headers);
    const bool interim = response.status < 200;
    if (!response.keep_alive && !interim) text += "Connection: close\r\n";
    if (interim || response.status == 204) return text + "\r\n";
    append_length(text, response.headers, response.body.size());
    return text + "\r\n" + response.body;
}

std::string_view reason_phrase(int status) {
    const auto row = std::ranges::find(reasons, status, &Reason::status);
    return row != reasons.end() ? row->text : "Unknown";
}

}  // namespace device_streams::http
