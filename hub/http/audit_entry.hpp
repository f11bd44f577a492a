#pragma once

#include "common/http/message.hpp"
#include "hub/http/stream_access.hpp"

#include <string>
#include <utility>

namespace device_streams::hub {

/// Tells the resource log how a stream request was decided, once: at its end at the latest, when the hub itself failed.
class AuditEntry {
 public:
    AuditEntry(HubContext& hub, std::string peer, const OpenRequest& open_request, const http::Request& request)
        : hub_(hub), peer_(std::move(peer)), begun_(hub.clock.now()) {
        entry_.target = open_request.target;
        entry_.name = open_request.name;
        entry_.api_version = iothub::api_version_of(request.target);
        entry_.error = iothub::RestError::server_error;
    }
    AuditEntry(const AuditEntry&) = delete;
    AuditEntry& operator=(const AuditEntry&) = delete;
    ~AuditEntry() { tell(); }

    void by(const StreamAccess& access) {
        entry_.policy = access.policy;
        entry_.reason = access.reason;
    }
    void cancelled() { accepted_as("Cancelled"); }
    void as(const RequestResult& result) {
        if (const auto* refusal = std::get_if<Refused>(&result)) {
            entry_.error = refusal->error;
            return tell();
        }
        const auto* granted = std::get_if<Granted>(&result);
        if (granted != nullptr) entry_.stream_id = granted->stream_id;
        accepted_as(granted != nullptr ? "" : "Rejected");
    }

 private:
    void accepted_as(const char* result) {
        entry_.error.reset();
        entry_.result = result;
        tell();
    }
    void tell() {
        if (std::exchange(told_, true)) return;
        entry_.took = hub_.clock.now() - begun_;
        if (entry_.policy.empty())
            hub_.resource_log.add_of_stranger(peer_, std::move(entry_));
        else
            hub_.resource_log.add(std::move(entry_));
    }

    HubContext& hub_;
    const std::string peer_;
    Clock::time_point begun_;
    StreamDecision entry_;
    bool told_ = false;
};

}  // namespace device_streams::hub
