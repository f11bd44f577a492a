#pragma once

#include "common/base/clock.hpp"
#include "common/base/stream_limits.hpp"
#include "common/tunnel/relay.hpp"
#include "hub/limits/trusted_proxies.hpp"

#include <cstddef>

namespace device_streams::hub {

/// What a connection may cost before anybody has logged in on it.
struct ConnectionLimits {
    Clock::duration tls_timeout = std::chrono::seconds(10);   ///< TCP accepted until TLS is up; 100ms..5m
    Clock::duration head_timeout = std::chrono::seconds(10);  ///< first byte of a request, or TLS up, until head or
                                                              ///< CONNECT; 100ms..5m
    Clock::duration idle_timeout = std::chrono::seconds(60);  ///< a connection without a request; 1s..1h
    std::size_t connections_per_address = 1'000;  ///< without a login; of one IPv4 address or IPv6 /64; a /56 may have
                                                  ///< twice, a /48 four times as many; 1..1000000
    std::size_t connections_without_login = 10'000;  ///< of all addresses together; 1..1000000
    TrustedProxies trusted_proxies{};                ///< speak for others, and are counted among all only
};

struct PresenceLimits {
    Clock::duration offline_grace = std::chrono::seconds(5);  ///< a device whose link dropped counts as online; 0s..5m
    std::size_t linked_devices = 0;  ///< links of devices and modules at a time; 0: no limit; 0..10000000
};

struct PairingLimits {
    /// From the request until both legs are attached, and the lifetime of stream tokens. What a service says of its own
    /// patience is clamped to it. 1s..10m
    Clock::duration handshake_timeout = std::chrono::seconds(60);
    Clock::duration response_default = std::chrono::seconds(30);  ///< for services that say nothing of their patience
    std::size_t pending = 20'000;  ///< requests without both legs, in the whole hub; more are refused with 429
    std::size_t pending_per_device = 1'000;   ///< the same, for one device or module; 1..20000
    std::size_t pending_per_policy = 10'000;  ///< the same, from the services of one policy; 1..20000
};

struct LinkLimits {
    /// MQTT packets that are taken from one link, also at once; a packet counts once for each KiB. 10..100000
    unsigned packets_per_second = 500;
};

/// What connections, links, requests and streams may take. New ones get new limits; running ones keep theirs.
struct HubLimits {
    ConnectionLimits connections;
    PresenceLimits presence;
    LinkLimits links;
    PairingLimits pairing;
    RelayLimits relay{.left_is_local = false};  ///< its goodbye is also for connections and legs without a stream
    Liveness liveness;                          ///< of the streams' legs
};

}  // namespace device_streams::hub
