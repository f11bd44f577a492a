#pragma once

#include "common/base/clock.hpp"
#include "common/base/endpoint.hpp"
#include "common/base/stream_limits.hpp"
#include "hub/quota/stream_quota.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace device_streams::hub {

/// What connections, links, requests and streams may take. New ones get new limits; running ones keep theirs.
struct HubLimits {
    Clock::duration tls = std::chrono::seconds(10);   ///< TCP accepted until TLS is up
    Clock::duration head = std::chrono::seconds(10);  ///< first byte of a request, or TLS up, until head or CONNECT
    Clock::duration idle = std::chrono::seconds(60);  ///< a connection without a request
    Clock::duration handshake = std::chrono::seconds(60);  ///< from the stream request until both legs are attached
    Clock::duration grace = std::chrono::seconds(5);       ///< a device whose link dropped counts as online
    Clock::duration linger = std::chrono::seconds(5);      ///< as RelayLimits::linger
    StreamLimits stream;                                   ///< of every stream
    Liveness liveness;                                     ///< of the streams' legs
    Clock::duration goodbye = std::chrono::seconds(5);     ///< for the last words to a leg
    std::size_t connections_per_address = 1'000;           ///< before login; an IPv6 /64 counts as one address
    std::size_t connections_without_login = 10'000;        ///< of all addresses together
    std::size_t devices = 0;                               ///< links of devices and modules at a time; 0: no limit
    std::size_t pending_per_device = 1'000;                ///< stream requests without both legs
    std::size_t pending_per_policy = 10'000;               ///< the same, from the services of one policy
};

/// Everything StreamHub needs to know; no YAML, no defaults that touch the disk.
struct StreamHubSettings {
    std::string name = "hub";             ///< in stream URLs and tokens; [A-Za-z0-9-]
    Endpoint listen;                      ///< TLS: REST, MQTT over WebSocket and streams; port 0: the system chooses
    std::optional<Endpoint> mqtt_listen;  ///< TLS: MQTT alone, usually port 8883
    std::string public_host;              ///< of the wss:// URLs that clients are told; no IPv6 literal
    std::uint16_t public_port = 0;        ///< of the same; 0: the port of `listen`
    std::vector<std::string> host_names;  ///< HostName that SAS tokens may be signed for; empty: public_host
    std::string certificate_file;         ///< PEM chain
    std::string key_file;                 ///< PEM
    std::string device_ca_file;           ///< PEM bundle of the CAs whose certificates devices may use; empty: none
    std::string admin_socket;             ///< path; empty: none
    std::string resource_log;             ///< path; empty: none
    HubLimits limits;
    QuotaSettings quota{};   ///< of streams
    std::string quota_file;  ///< keeps what was carried today; path; empty: none
};

/// A value that is replaced as a whole while others read it. Any thread.
template <typename Value>
class Current {
 public:
    explicit Current(Value value) : value_(std::make_shared<const Value>(std::move(value))) {}
    std::shared_ptr<const Value> get() const {
        const std::lock_guard lock(mutex_);
        return value_;
    }
    void set(Value value) {
        auto fresh = std::make_shared<const Value>(std::move(value));
        const std::lock_guard lock(mutex_);
        value_.swap(fresh);
    }

 private:
    mutable std::mutex mutex_;  // once per connection or request, never per byte
    std::shared_ptr<const Value> value_;
};

}  // namespace device_streams::hub
