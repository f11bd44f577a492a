#include "common/tunnel/leg_options.hpp"

namespace device_streams {

namespace {
constexpr std::size_t foreign_message = 32 * 1024;
constexpr std::size_t big_message = 65'528;  // together with a masked header exactly four full TLS records
}  // namespace

ws::WsOptions leg_options(ws::Role role, const Features& features) {
    ws::WsOptions options;
    options.role = role;
    options.message_limit = features.big_frames ? big_message : foreign_message;
    options.half_close = features.half_close;
    return options;
}

}  // namespace device_streams
