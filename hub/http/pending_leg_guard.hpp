#pragma once

#include "hub/streams/stream_broker.hpp"

#include <optional>

namespace device_streams::hub {

/// The last stream that was granted on a service's connection, if that service keeps the connection until its leg is
/// there: when the connection ends first, the service is gone, and the stream is given up. Lives as long as the
/// connection carries requests.
class PendingLegGuard {
 public:
    explicit PendingLegGuard(StreamBroker& broker) : broker_(broker) {}
    PendingLegGuard(const PendingLegGuard&) = delete;
    PendingLegGuard& operator=(const PendingLegGuard&) = delete;
    ~PendingLegGuard() {
        if (request_) broker_.cancel(*request_);
    }
    void set(RequestNumber request) { request_ = request; }
    void forget() { request_.reset(); }

 private:
    StreamBroker& broker_;
    std::optional<RequestNumber> request_;
};

}  // namespace device_streams::hub
