#include "common/net/proxy_protocol.hpp"

#include "common/base/error.hpp"
#include "common/base/ip_network.hpp"
#include "common/net/socket_address.hpp"
#include "common/text/decimal.hpp"
#include "common/text/parts.hpp"

#include <array>
#include <chrono>
#include <span>

namespace device_streams::proxy_protocol {

namespace {

constexpr std::string_view line_start = "PROXY ";
constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
// Two bytes tell a header from TLS, and from the methods of HTTP.
constexpr std::size_t telling = 2;
constexpr std::chrono::milliseconds between_looks{5};

unsigned byte_at(std::string_view bytes, std::size_t where) {
    return static_cast<unsigned char>(bytes[where]);
}

unsigned number_at(std::string_view bytes, std::size_t where) {
    return byte_at(bytes, where) << 8 | byte_at(bytes, where + 1);
}

std::string client_of(const asio::ip::address& address, unsigned port) {
    return describe(address) + ":" + std::to_string(port);
}

template <typename Address>
Header client_in(std::string_view addresses) {
    typename Address::bytes_type bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(addresses[i]);
    return {client_of(Address(bytes), number_at(addresses, 2 * bytes.size()))};
}

asio::awaitable<std::string> peek(Socket& socket, std::size_t size, Clock& clock) {
    std::array<std::byte, telling> room;
    for (;;) {
        co_await socket.wait_readable();
        const auto seen = socket.try_peek(std::span(room).first(size));
        if (seen == 0U) throw StreamError(CloseReason::lost, "the peer ended the connection");
        if (seen == size) break;
        if (seen) co_await clock.sleep_for(between_looks);  // what is there already would end the wait at once
    }
    co_return std::string(reinterpret_cast<const char*>(room.data()), size);
}

asio::awaitable<std::string> take(Socket& socket, std::size_t size) {
    std::string taken(size, '\0');
    for (auto rest = std::as_writable_bytes(std::span(taken)); !rest.empty();) {
        const auto received = socket.try_recv(rest);
        if (received == 0U)
            throw StreamError(CloseReason::lost, "the peer ended the connection inside its PROXY header");
        rest = rest.subspan(received.value_or(0));
        if (!received) co_await socket.wait_readable();
    }
    co_return taken;
}

asio::awaitable<std::optional<Header>> read_line(Socket& socket) {
    std::string line;
    while (line.size() < longest_line && !line.ends_with('\n')) {
        const auto next = co_await take(socket, 1);
        line += next;
    }
    co_return parse_line(line);
}

asio::awaitable<std::optional<Header>> read_binary(Socket& socket) {
    const auto fixed = co_await take(socket, fixed_size);
    const auto size = size_of_addresses(fixed);
    if (!size) co_return std::nullopt;
    const auto addresses = co_await take(socket, *size);
    co_return parse_binary(fixed, addresses);
}

}  // namespace

std::optional<Header> parse_line(std::string_view line) {
    if (line.size() > longest_line || !line.starts_with(line_start) || !line.ends_with("\r\n")) return std::nullopt;
    line.remove_prefix(line_start.size());
    line.remove_suffix(2);
    const auto family = take_until(line, ' ');
    if (family == "UNKNOWN") return Header{};
    if (family != "TCP4" && family != "TCP6") return std::nullopt;
    const auto parts = split(line, ' ');
    if (parts.size() != 4) return std::nullopt;
    const auto client = parse_ip_address(parts[0]), server = parse_ip_address(parts[1]);
    const auto client_port = parse_decimal<std::uint16_t>(parts[2]),
               server_port = parse_decimal<std::uint16_t>(parts[3]);
    if (!client || !server || !client_port || !server_port) return std::nullopt;
    const auto fits = [&](std::string_view address) {
        return (address.find(':') != std::string_view::npos) == (family == "TCP6") &&
               address.find_first_of("[%") == std::string_view::npos;
    };
    if (!fits(parts[0]) || !fits(parts[1])) return std::nullopt;
    return Header{client_of(*client, *client_port)};
}

std::optional<std::size_t> size_of_addresses(std::string_view fixed) {
    const bool known = fixed.size() == fixed_size && fixed.starts_with(signature) && byte_at(fixed, 12) >> 4 == 2;
    if (!known || (byte_at(fixed, 12) & 0xFU) > 1) return std::nullopt;
    const auto size = number_at(fixed, 14);
    return size <= longest_addresses ? std::optional<std::size_t>(size) : std::nullopt;
}

std::optional<Header> parse_binary(std::string_view fixed, std::string_view addresses) {
    if (size_of_addresses(fixed) != addresses.size()) return std::nullopt;
    constexpr unsigned tcp4 = 0x11, tcp6 = 0x21;
    const bool for_itself = (byte_at(fixed, 12) & 0xFU) == 0;  // LOCAL: a health check
    const auto family = byte_at(fixed, 13);
    if (for_itself || (family != tcp4 && family != tcp6)) return Header{};
    const std::size_t needed = family == tcp4 ? 12 : 36;
    if (addresses.size() < needed) return std::nullopt;
    return family == tcp4 ? client_in<asio::ip::address_v4>(addresses) : client_in<asio::ip::address_v6>(addresses);
}

asio::awaitable<std::optional<Header>> read_header(Socket& socket, Clock& clock) {
    auto start = co_await peek(socket, 1, clock);
    const bool line = start.front() == line_start.front(), binary = start.front() == signature.front();
    if (!line && !binary) co_return std::nullopt;
    start = co_await peek(socket, telling, clock);
    if (!line_start.starts_with(start) && !signature.starts_with(start)) co_return std::nullopt;
    std::optional<Header> header;
    if (line)
        header = co_await read_line(socket);
    else
        header = co_await read_binary(socket);
    if (!header) throw Failure(Errc::peer_garbage, "its PROXY header is malformed");
    co_return header;
}

}  // namespace device_streams::proxy_protocol
