#include "hub/quota_desk.hpp"

#include <asio/ip/address.hpp>

#include <algorithm>

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

std::string source_of(std::string_view peer) {
    auto host = peer.substr(0, peer.rfind(':'));
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    asio::error_code malformed;
    const auto address = asio::ip::make_address(host, malformed);
    if (malformed || address.is_v4()) return std::string(host);
    const auto v6 = address.to_v6();
    if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string();
    auto bytes = v6.to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
    return asio::ip::make_address_v6(bytes).to_string() + "/64";
}

}  // namespace device_streams::hub
