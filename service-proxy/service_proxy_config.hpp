#pragma once

#include "common/base/endpoint.hpp"
#include "common/base/stream_limits.hpp"
#include "common/config/settings.hpp"
#include "common/tunnel/relay.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace device_streams {
template <typename Config>
class OptionTable;
}

namespace device_streams::service {

/// One local address and the service on a device that its connections reach.
struct Forward {
    Endpoint listen;              ///< empty for stdio
    std::string device;           ///< device id
    std::string module;           ///< module id; empty: the device itself
    std::string service = "ssh";  ///< [A-Za-z0-9_-]{1,64}
    StreamLimits limits = {};
    bool operator==(const Forward&) const = default;
};

/// `timeouts:`, each a limit on one phase of opening a stream.
struct Timeouts {
    std::chrono::milliseconds hub{
        10'000};  ///< TCP, TLS and answers of the hub that do not wait for the device; 100ms..5m
    std::chrono::milliseconds connect{
        15'000};  ///< the hub waits this long for an offline device; 0s..10m, sent in seconds
    std::chrono::milliseconds response{
        30'000};  ///< the hub waits this long for the device's answer; 1s..10m, sent in seconds
};

struct ServiceProxyConfig {
    HubSettings hub;
    std::vector<Forward> forwards;  ///< at least one, unless stdio is set
    std::optional<Forward> stdio;   ///< --stdio: one stream on standard input and output instead of listening
    Timeouts timeouts;
    Liveness liveness;
    RelayLimits relay;                        ///< of every stream; forwards may have stricter ones; linger 0s..10m
    std::chrono::milliseconds drain{30'000};  ///< running streams may end by themselves when stopping; 0s..24h
    unsigned threads = 1;                     ///< 0: one per core; 0..1024
    RunAsSettings run_as;
    LogSettings log;
};

/// Every option with key, flag, default, range and help.
const OptionTable<ServiceProxyConfig>& service_proxy_options();

}  // namespace device_streams::service
