#pragma once

#include <string_view>

namespace device_streams {

/// Whether a connection begins as one of AMQP 1.0 does: "AMQP" and the number of a protocol, 0 for AMQP itself, 2 for
/// TLS or 3 for SASL. No other protocol that is served here begins so.
constexpr bool begins_as_amqp(std::string_view first_bytes) {
    constexpr std::string_view name = "AMQP";
    if (!first_bytes.starts_with(name) || first_bytes.size() == name.size()) return false;
    const char protocol = first_bytes[name.size()];
    return protocol == 0 || protocol == 2 || protocol == 3;
}

}  // namespace device_streams
