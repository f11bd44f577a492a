#include "common/tunnel/stream_owner.hpp"

#include "common/text/hex.hpp"

namespace device_streams {

namespace {
constexpr const char* field = "stream-owner";
}  // namespace

void add_stream_owner(http::Headers& headers, const Transport& connection) {
    const auto binding = connection.channel_binding();
    if (!binding) return;
    // Named in Connection, so that a proxy takes it out (RFC 9110 section 7.6.1); many do not.
    headers.add("Connection", field);
    headers.add(field, to_hex(*binding));
}

bool is_stream_owner(const http::Headers& headers, const Transport& connection) {
    const auto claim = headers.find(field);
    if (!claim) return false;
    const auto binding = connection.channel_binding();
    return binding && *claim == to_hex(*binding);
}

}  // namespace device_streams
