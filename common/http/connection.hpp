#pragma once

#include "common/base/clock.hpp"
#include "common/http/message.hpp"
#include "common/net/byte_stream.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace device_streams::http {

inline constexpr std::size_t head_limit = 16'000;  ///< bytes of request or response head
inline constexpr std::size_t body_limit = 1024 * 1024;

/// A message that is refused while it is read; `status` is what a server should answer (400, 413, 431, 501, 505).
class MessageError : public std::runtime_error {
 public:
    MessageError(int status_code, const std::string& text) : std::runtime_error(text), status(status_code) {}
    int status;
};

/// It is a client of AMQP.
class AmqpInstead : public MessageError {
 public:
    AmqpInstead() : MessageError(400, "it speaks AMQP, and not HTTP") {}
};

/// One HTTP/1.1 connection, either side, over websocketpp's head parsers (RFC 9112). Content-Length and chunked bodies
/// both ways; Content-Length with Transfer-Encoding, repeated Content-Length and obsolete line folding are refused.
/// Timeouts are the caller's. Bytes read beyond a message are kept for the next one. An end of the connection inside a
/// message is StreamError(lost).
class Connection {
 public:
    /// `dates`, for servers: answers carry a Date from it. It outlives the connection.
    explicit Connection(std::unique_ptr<Transport> transport, const Clock* dates = nullptr);

    /// Waits for the first byte of the next request; false when the peer ended the connection instead. Idle time and
    /// slow-loris time are different limits: bound this and read_request separately.
    asio::awaitable<bool> wait_for_request();
    /// Throws MessageError for anything malformed or too large; answer it, and the connection then closes. Invites the
    /// body of a client that sent `Expect: 100-continue`. A body may have `longest_body` bytes.
    asio::awaitable<Request> read_request(std::size_t longest_body = body_limit);
    /// Adds Content-Length (not for 1xx and 204), and Connection: close when the request asked for it or was refused.
    /// The answer to HEAD is sent without its body.
    asio::awaitable<void> write_response(Response response);
    /// Client side: sends and reads the answer (interim 1xx answers but 101 are skipped; a 101 has no body). On a
    /// connection used before, throws StreamError(lost) before it sends anything if the server ended it or spoke
    /// unasked meanwhile: then the request may safely be made again on a new connection.
    asio::awaitable<Response> exchange(Request request);
    /// False while the last exchange has brought no byte of its answer.
    bool answer_began() const { return answer_began_; }

    /// Returns when the peer has ended or broken the connection; keeps early bytes (up to head_limit, then it also
    /// returns). For noticing that a waiting client went away.
    asio::awaitable<void> until_peer_leaves();

    /// True while the connection may carry another exchange.
    bool reusable() const { return reusable_; }
    /// Gives the transport away for another protocol, with the bytes already read behind the last message.
    std::unique_ptr<Transport> release(std::vector<std::byte>& early_bytes);
    Transport& transport() { return *transport_; }

 private:
    asio::awaitable<std::string> read_head();
    asio::awaitable<Response> read_response(const std::string& method);
    asio::awaitable<std::string> read_body(const Headers& headers, std::size_t longest, bool until_end_allowed);
    asio::awaitable<std::string> read_chunked(std::size_t longest);
    asio::awaitable<std::string> read_until_end();
    asio::awaitable<std::string> read_line();
    asio::awaitable<void> read_exactly(std::size_t size, std::string& into);
    asio::awaitable<bool> fill();
    asio::awaitable<void> fill_or_throw();
    std::optional<std::size_t> try_fill();
    std::string take(std::size_t size);
    void check_still_ours();

    std::unique_ptr<Transport> transport_;
    const Clock* dates_;
    std::vector<std::byte> buffer_;  // holds no memory while it is empty
    bool reusable_ = true;
    bool used_ = false;          // an exchange went before
    bool answer_began_ = false;  // something came since the last request was sent
    bool answers_head_ = false;  // the last request read was HEAD
};

/// Parses a head (request line or status line up to and including the empty line). Pure; for Connection and fuzzing.
Request parse_request_head(std::string_view head);
Response parse_response_head(std::string_view head);
std::string serialize(const Request& request);
std::string serialize(const Response& response);
/// "Not Found" for 404 and so on.
std::string_view reason_phrase(int status);

}  // namespace device_streams::http
