#include "common/tunnel/leg_upgrade.hpp"

namespace device_streams {

namespace {
constexpr std::string_view protocol = "device-stream";
}  // namespace

void add_leg_upgrade(http::Headers& headers) {
    headers.add("Connection", "Upgrade");
    headers.add("Upgrade", std::string(protocol));
}

bool has_leg_upgrade(const http::Headers& headers) {
    return headers.has_token("Connection", "Upgrade") && headers.has_token("Upgrade", protocol);
}

}  // namespace device_streams
