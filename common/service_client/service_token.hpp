#pragma once

#include "common/base/clock.hpp"
#include "common/iothub/connection_string.hpp"

#include <chrono>
#include <mutex>

namespace device_streams::service {

/// The SAS token of the service policy: made once, renewed at 80 % of its lifetime. May be called from any thread.
class ServiceToken {
 public:
    explicit ServiceToken(iothub::ConnectionString credential, std::chrono::seconds lifetime = std::chrono::hours(1))
        : credential_(std::move(credential)), lifetime_(lifetime) {}

    /// A token that is good for at least 20 % of the lifetime; a ready-made one is returned as it is. Throws
    /// Failure(credential_malformed) when the key is not base64.
    Secret current(const Clock& clock);
    /// Whether a token that is made now has expired already by a clock that is this far ahead.
    bool expires_at_once(std::chrono::seconds ahead) const { return credential_.token.empty() && ahead >= lifetime_; }
    /// Makes the next call of current() make a new one: the hub refused this one.
    void forget();

 private:
    const iothub::ConnectionString credential_;
    const std::chrono::seconds lifetime_;
    std::mutex mutex_;
    Secret token_;
    std::int64_t made_ = 0;  // Unix seconds
};

}  // namespace device_streams::service
