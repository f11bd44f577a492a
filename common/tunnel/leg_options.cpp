#include "common/tunnel/leg_options.hpp"

namespace device_streams {

namespace {
constexpr std::size_t foreign_message = 32 * 1024;
constexpr std::size_t big_message = 65'528;  // together with a masked header exactly four full TLS records
}  // namespace

ws::WsOptions leg_options(ws::Role role, const Features& features, const Liveness& liveness, Clock& clock) {
    ws::WsOptions options;
    options.role = role;
    options.message_limit = features.big_frames ? big_message : foreign_message;
    options.half_close = features.half_close;
    options.clock = &clock;
    // Servers do not ping foreign clients: the C SDK holds back what follows a Ping (docs/protocol.md 7.5). TCP's
    // own keep-alive has to do there.
    if (role == ws::Role::client || features.pings)
        options.keep_alive = ws::KeepAlive{.liveness = liveness, .peer_pings = features.pings};
    return options;
}

}  // namespace device_streams
