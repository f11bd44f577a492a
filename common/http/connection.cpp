#include "common/http/connection.hpp"

#include "common/http/date.hpp"
#include "common/http/head_guard.hpp"
#include "common/text/ascii.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace device_streams::http {

namespace {

constexpr std::size_t line_limit = 256;  // a chunk's size with its extensions, a trailer line
constexpr int interim_limit = 8;

std::string_view as_text(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void check_body_size(std::size_t size, std::size_t longest) {
    if (size > longest) throw MessageError(413, "the body is longer than " + std::to_string(longest) + " bytes");
}

std::size_t chunk_size(const std::string& line, std::size_t longest) {
    std::size_t size = 0;
    const auto* const begin = line.data();
    const auto [stop, failure] = std::from_chars(begin, begin + line.size(), size, 16);
    if (stop == begin) throw MessageError(400, "a chunk has no size");
    const auto rest = std::string_view(line).substr(static_cast<std::size_t>(stop - begin));
    const auto extension = rest.find_first_not_of(" \t");
    if (extension != std::string_view::npos && rest[extension] != ';')
        throw MessageError(400, "a chunk's size is not a hexadecimal number");
    check_body_size(failure == std::errc() ? size : SIZE_MAX, longest);
    return size;
}

bool has_no_body(int status) {
    return status < 200 || status == 204 || status == 304;
}

}  // namespace

Connection::Connection(std::unique_ptr<Transport> transport, const Clock* dates)
    : transport_(std::move(transport)), dates_(dates) {
}

asio::awaitable<bool> Connection::wait_for_request() {
    if (!buffer_.empty()) co_return true;
    const bool more = co_await fill();
    if (!more) reusable_ = false;
    co_return more;
}

asio::awaitable<Request> Connection::read_request(std::size_t longest_body) {
    reusable_ = false;  // until it was read well
    answers_head_ = false;
    const auto head = co_await read_head();
    auto request = parse_request_head(head);
    answers_head_ = request.method == "HEAD";
    const auto expectation = request.headers.find("Expect");
    if (expectation) {
        if (!equal_ignoring_case(*expectation, "100-continue"))
            throw MessageError(417, "that expectation is not understood");
        const auto framing = body_framing(request.headers);
        const bool fits = framing.kind != BodyFraming::none && framing.size <= longest_body;
        if (fits && buffer_.empty()) co_await write_text(*transport_, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    request.body = co_await read_body(request.headers, longest_body, false);
    reusable_ = request.keep_alive;
    co_return request;
}

asio::awaitable<void> Connection::write_response(Response response) {
    const bool interim = response.status < 200;
    if (!interim) {
        response.keep_alive = response.keep_alive && reusable_;
        reusable_ = response.keep_alive;
    }
    if (dates_ != nullptr) response.headers.add("Date", format_date(dates_->wall_now()));
    auto text = serialize(response);
    if (answers_head_ && !has_no_body(response.status)) text.resize(text.size() - response.body.size());
    co_await write_text(*transport_, std::move(text));
}

asio::awaitable<Response> Connection::exchange(Request request) {
    if (used_) check_still_ours();
    used_ = true;
    answer_began_ = false;
    reusable_ = false;
    co_await write_text(*transport_, serialize(request));
    auto response = co_await read_response(request.method);
    co_return response;
}

/// On a warm connection, bytes that came before the request was sent cannot be its answer.
void Connection::check_still_ours() {
    if (!reusable_) throw StreamError(CloseReason::lost, "the connection was to be used no more");
    const auto size = try_fill();
    if (size || !buffer_.empty()) {
        reusable_ = false;
        throw StreamError(CloseReason::lost, "the server ended the idle connection");
    }
}

asio::awaitable<Response> Connection::read_response(const std::string& method) {
    for (int i = 0; i < interim_limit; ++i) {
        const auto head = co_await read_head();
        auto response = parse_response_head(head);
        if (response.status < 200 && response.status != 101) continue;
        reusable_ = response.keep_alive && response.status != 101;
        const bool tunnel = method == "CONNECT" && response.status < 300;
        if (method != "HEAD" && !tunnel && !has_no_body(response.status)) {
            response.body = co_await read_body(response.headers, body_limit, true);
        }
        co_return response;
    }
    throw MessageError(400, "too many interim answers");
}

asio::awaitable<void> Connection::until_peer_leaves() {
    while (buffer_.size() < head_limit) {
        bool more = false;
        try {
            more = co_await fill();
        } catch (const StreamError&) {
            more = false;
        }
        if (!more) {
            reusable_ = false;
            break;
        }
    }
}

std::unique_ptr<Transport> Connection::release(std::vector<std::byte>& early_bytes) {
    early_bytes.assign(buffer_.begin(), buffer_.end());
    buffer_ = std::vector<std::byte>();
    reusable_ = false;
    return std::move(transport_);
}

asio::awaitable<std::string> Connection::read_head() {
    HeadScanner scanner;
    bool skipped_line = false;
    for (;;) {
        const auto size = scanner.scan(as_text(buffer_));
        if (!size) {
            co_await fill_or_throw();
            continue;
        }
        auto head = take(*size);
        if (*size > 2 || skipped_line) co_return head;
        // RFC 9112 section 2.2: one empty line in front of a message is forgiven.
        skipped_line = true;
        scanner = HeadScanner();
    }
}

asio::awaitable<std::string> Connection::read_body(const Headers& headers, std::size_t longest,
                                                   bool until_end_allowed) {
    const auto framing = body_framing(headers);
    if (framing.kind == BodyFraming::chunked) {
        auto body = co_await read_chunked(longest);
        co_return body;
    }
    if (framing.kind == BodyFraming::none && until_end_allowed) {
        auto body = co_await read_until_end();
        co_return body;
    }
    check_body_size(framing.size, longest);
    std::string body;
    co_await read_exactly(framing.size, body);
    co_return body;
}

asio::awaitable<std::string> Connection::read_chunked(std::size_t longest) {
    std::string body;
    for (;;) {
        const auto size_line = co_await read_line();
        const auto size = chunk_size(size_line, longest);
        if (size == 0) break;
        check_body_size(body.size() + size, longest);
        co_await read_exactly(size, body);
        const auto end = co_await read_line();
        if (!end.empty()) throw MessageError(400, "a chunk is longer than its size");
    }
    // The trailer fields are dropped; they are limited as a head is.
    for (std::size_t size = 0;;) {
        const auto line = co_await read_line();
        if (line.empty()) break;
        size += line.size();
        if (size > head_limit) throw MessageError(431, "the trailer is longer than 16000 bytes");
    }
    co_return body;
}

asio::awaitable<std::string> Connection::read_until_end() {
    reusable_ = false;
    std::string body;
    for (;;) {
        body += take(buffer_.size());
        check_body_size(body.size(), body_limit);
        const bool more = co_await fill();
        if (!more) co_return body;
    }
}

/// A line of the chunked coding, without its CR LF.
asio::awaitable<std::string> Connection::read_line() {
    for (;;) {
        const auto text = as_text(buffer_);
        const auto end = text.find('\n');
        const auto size = std::min(end, text.size());
        if (size > line_limit) throw MessageError(400, "a line between chunks is too long");
        if (end != std::string_view::npos) {
            if (end == 0 || text.find('\r') != end - 1) throw MessageError(400, "a line between chunks is malformed");
            auto line = take(end + 1);
            line.resize(end - 1);
            co_return line;
        }
        co_await fill_or_throw();
    }
}

asio::awaitable<void> Connection::read_exactly(std::size_t size, std::string& into) {
    while (size > 0) {
        if (buffer_.empty()) co_await fill_or_throw();
        const auto part = std::min(size, buffer_.size());
        into += take(part);
        size -= part;
    }
}

std::string Connection::take(std::size_t size) {
    std::string taken(as_text(buffer_).substr(0, size));
    if (size == buffer_.size()) {
        buffer_ = std::vector<std::byte>();
    } else {
        buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size));
    }
    return taken;
}

/// As try_read, appending to the buffer. The room is on the stack, so a waiting connection holds none.
std::optional<std::size_t> Connection::try_fill() {
    std::array<std::byte, 8 * 1024> room;
    const auto size = transport_->try_read(room);
    if (size) buffer_.insert(buffer_.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(*size));
    answer_began_ = answer_began_ || size.value_or(0) > 0;
    return size;
}

/// Reads more; false when the peer ended the connection.
asio::awaitable<bool> Connection::fill() {
    for (;;) {
        const auto size = try_fill();
        if (size) co_return *size > 0;
        co_await transport_->wait_readable();
    }
}

asio::awaitable<void> Connection::fill_or_throw() {
    const bool more = co_await fill();
    if (more) co_return;
    reusable_ = false;
    throw StreamError(CloseReason::lost, buffer_.empty() ? "the peer ended the connection"
                                                         : "the peer ended the connection inside a message");
}

}  // namespace device_streams::http
