#pragma once

#include "common/base/clock.hpp"
#include "common/net/socket.hpp"

#include <asio/awaitable.hpp>

#include <optional>
#include <string>
#include <string_view>

/// The header in which a balancer says for whom it connects: HAProxy's PROXY protocol, versions 1 (text) and 2
/// (binary).
namespace device_streams::proxy_protocol {

inline constexpr std::size_t longest_line = 107;        ///< of version 1, bytes with CRLF
inline constexpr std::size_t fixed_size = 16;           ///< of version 2: what comes first, and says how much follows
inline constexpr std::size_t longest_addresses = 4096;  ///< of version 2, bytes behind that

/// What a header says.
struct Header {
    std::string
        client;  ///< address:port, as describe() names peers; empty: the balancer speaks for itself or cannot say
};

/// A line of version 1 up to and including CRLF. nullopt: malformed.
std::optional<Header> parse_line(std::string_view line);
/// How many bytes follow the first fixed_size of version 2; nullopt: malformed, or more than longest_addresses.
std::optional<std::size_t> size_of_addresses(std::string_view fixed);
/// Version 2, whole. nullopt: malformed.
std::optional<Header> parse_binary(std::string_view fixed, std::string_view addresses);

/// Takes the header off the front of what comes on `socket`, and leaves the rest; nullopt: there is none. Throws
/// Failure(peer_garbage) when it is malformed and StreamError when the connection ends. The caller bounds its time.
asio::awaitable<std::optional<Header>> read_header(Socket& socket, Clock& clock);

}  // namespace device_streams::proxy_protocol
