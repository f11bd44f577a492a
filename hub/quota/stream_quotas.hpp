#pragma once

#include "hub/quota/stream_quota.hpp"

#include <memory>
#include <mutex>

namespace device_streams::hub {

class StreamQuotas;

/// The place of one stream under the limits, from the moment it was granted: it is given back when the last holder lets
/// go, however the request or the stream ended. Any thread.
class StreamShare {
 public:
    StreamShare(std::shared_ptr<StreamQuotas> quotas, const StreamQuota::Held& held)
        : quotas_(std::move(quotas)), held_(held) {}
    StreamShare(const StreamShare&) = delete;
    StreamShare& operator=(const StreamShare&) = delete;
    ~StreamShare();

    /// How many bytes the stream has carried so far, both ways.
    void carried(std::uint64_t total);

 private:
    friend class StreamQuotas;
    const std::shared_ptr<StreamQuotas> quotas_;
    const StreamQuota::Held held_;
    std::uint64_t counted_ = 0;  // under the desk's mutex
};

/// StreamQuota with a lock and the time. Any thread; never on a stream's data path.
class StreamQuotas : public std::enable_shared_from_this<StreamQuotas> {
 public:
    StreamQuotas(const QuotaSettings& settings, Clock& clock) : clock_(clock), quota_(settings) {}

    std::variant<std::shared_ptr<StreamShare>, QuotaRefused> open(const StreamParties& parties);
    void set(const QuotaSettings& settings);
    QuotaUse use(std::size_t rows);
    DayVolumes volumes();
    void restore(const DayVolumes& earlier);

 private:
    friend class StreamShare;
    QuotaMoment now() const { return {clock_.now(), clock_.wall_now()}; }

    Clock& clock_;
    std::mutex mutex_;  // when streams begin and end, and every few seconds
    StreamQuota quota_;
};

}  // namespace device_streams::hub
