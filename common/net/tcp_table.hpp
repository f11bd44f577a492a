#pragma once

#include "common/base/system_user.hpp"

#include <asio/ip/tcp.hpp>

#include <optional>
#include <string_view>

namespace device_streams {

/// Who owns the socket from `local` to `remote`, both of one family, as a table of the kernel's says (proc(5),
/// /proc/net/tcp and tcp6). nullopt: there is none, or no program has it open any more.
std::optional<UserId> owner_in_tcp_table(std::string_view table, const asio::ip::tcp::endpoint& local,
                                         const asio::ip::tcp::endpoint& remote);

}  // namespace device_streams
