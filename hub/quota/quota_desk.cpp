#include "hub/quota/quota_desk.hpp"

namespace device_streams::hub {

StreamShare::~StreamShare() {
    const std::lock_guard lock(desk_->mutex_);
    desk_->quota_.close(held_, desk_->now());
}

void StreamShare::carried(std::uint64_t total) {
    const std::lock_guard lock(desk_->mutex_);
    if (total <= counted_) return;
    desk_->quota_.count(held_, total - counted_, desk_->now());
    counted_ = total;
}

std::variant<std::shared_ptr<StreamShare>, QuotaRefusal> QuotaDesk::open(const StreamParties& parties) {
    const std::lock_guard lock(mutex_);
    auto opened = quota_.open(parties, now());
    if (auto* refusal = std::get_if<QuotaRefusal>(&opened)) return std::move(*refusal);
    return std::make_shared<StreamShare>(shared_from_this(), std::get<StreamQuota::Held>(opened));
}

void QuotaDesk::set(const QuotaSettings& settings) {
    const std::lock_guard lock(mutex_);
    quota_.set(settings);
}

QuotaUse QuotaDesk::use(std::size_t rows) {
    const std::lock_guard lock(mutex_);
    return quota_.use(now(), rows);
}

DayVolumes QuotaDesk::volumes() {
    const std::lock_guard lock(mutex_);
    return quota_.volumes(now());
}

void QuotaDesk::restore(const DayVolumes& earlier) {
    const std::lock_guard lock(mutex_);
    quota_.restore(earlier, now());
}

}  // namespace device_streams::hub
