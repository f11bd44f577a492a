#include "common/net/tcp_table.hpp"

#include "common/text/decimal.hpp"
#include "common/text/parts.hpp"

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace device_streams {

namespace {

// 32-bit words of the address as this machine has them in memory, then the port.
template <typename Bytes>
std::string written(const Bytes& address, std::uint16_t port) {
    std::string text;
    char digits[16];
    for (std::size_t at = 0; at < address.size(); at += 4) {
        std::uint32_t word = 0;
        std::memcpy(&word, address.data() + at, 4);
        std::snprintf(digits, sizeof digits, "%08X", word);
        text += digits;
    }
    std::snprintf(digits, sizeof digits, ":%04X", port);
    return text + digits;
}

std::string written(const asio::ip::tcp::endpoint& endpoint) {
    const auto& address = endpoint.address();
    return address.is_v4() ? written(address.to_v4().to_bytes(), endpoint.port())
                           : written(address.to_v6().to_bytes(), endpoint.port());
}

}  // namespace

std::optional<UserId> owner_in_tcp_table(std::string_view table, const asio::ip::tcp::endpoint& local,
                                         const asio::ip::tcp::endpoint& remote) {
    enum { number, from, to, state, queues, timer, retransmissions, user, timeouts, inode };
    const auto local_text = written(local), remote_text = written(remote);
    for (const auto line : split(table, '\n')) {
        std::vector<std::string_view> words;
        for (const auto word : split(line, ' '))
            if (!word.empty()) words.push_back(word);
        if (words.size() <= inode || words[from] != local_text || words[to] != remote_text) continue;
        // What no program has open is shown as root's.
        if (words[inode] == "0") return std::nullopt;
        return parse_decimal<UserId>(words[user]);
    }
    return std::nullopt;
}

}  // namespace device_streams
