#pragma once

#include "common/http/message.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace device_streams::http {

/// Finds the end of a head while it arrives, and refuses at once what no head may hold: bare CR or LF, other control
/// characters, more than head_limit bytes.
class HeadScanner {
 public:
    /// `bytes`: all that arrived so far; only what is new is looked at. Returns the size of the head with its empty
    /// line, nullopt while it is incomplete. A leading empty line counts as a head of 2 bytes. Throws MessageError, for
    /// a client of AMQP AmqpInstead.
    std::optional<std::size_t> scan(std::string_view bytes);

 private:
    std::size_t scanned_ = 0;
    std::size_t line_start_ = 0;
};

/// Refuses the field lines that websocketpp's parsers accept but RFC 9112 forbids, or that two parties could read
/// differently: folded lines, blanks before the colon, bad names, repeated Content-Length, Transfer-Encoding or Host.
/// `lines`: the head behind its first line. Throws MessageError.
void check_field_lines(std::string_view lines);

/// How the body of a message is delimited (RFC 9112 section 6).
struct BodyFraming {
    enum Kind { none, length, chunked };
    Kind kind = none;
    std::size_t size = 0;  ///< for `length`; may exceed body_limit
};
/// Throws MessageError for Content-Length together with Transfer-Encoding, codings other than chunked, and lengths that
/// are no numbers.
BodyFraming body_framing(const Headers& headers);

}  // namespace device_streams::http
