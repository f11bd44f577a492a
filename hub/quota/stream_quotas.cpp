#include "hub/quota/stream_quotas.hpp"

namespace device_streams::hub {

StreamShare::~StreamShare() {
    const std::lock_guard lock(quotas_->mutex_);
    quotas_->quota_.close(held_, quotas_->now());
}

void StreamShare::carried(std::uint64_t total) {
    const std::lock_guard lock(quotas_->mutex_);
    if (total <= counted_) return;
    quotas_->quota_.count(held_, total - counted_, quotas_->now());
    counted_ = total;
}

std::variant<std::shared_ptr<StreamShare>, QuotaRefused> StreamQuotas::open(const StreamParties& parties) {
    const std::lock_guard lock(mutex_);
    auto opened = quota_.open(parties, now());
    if (auto* refusal = std::get_if<QuotaRefused>(&opened)) return std::move(*refusal);
    return std::make_shared<StreamShare>(shared_from_this(), std::get<StreamQuota::Held>(opened));
}

void StreamQuotas::set(const QuotaSettings& settings) {
    const std::lock_guard lock(mutex_);
    quota_.set(settings);
}

QuotaUse StreamQuotas::use(std::size_t rows) {
    const std::lock_guard lock(mutex_);
    return quota_.use(now(), rows);
}

DayVolumes StreamQuotas::volumes() {
    const std::lock_guard lock(mutex_);
    return quota_.volumes(now());
}

void StreamQuotas::restore(const DayVolumes& earlier) {
    const std::lock_guard lock(mutex_);
    quota_.restore(earlier, now());
}

}  // namespace device_streams::hub
