#include "hub/limits/unauthenticated_connections.hpp"

#include "hub/limits/source_address.hpp"

namespace device_streams::hub {

std::optional<UnauthenticatedConnections::Slot> UnauthenticatedConnections::enter(std::string_view peer,
                                                                                  const ConnectionLimits& limits) {
    const bool speaks_for_others = covers(limits.trusted_proxies, peer);
    auto source = speaks_for_others ? std::string() : source_of(peer);
    const std::lock_guard lock(mutex_);
    if (in_all_ >= limits.connections_without_login) return std::nullopt;
    if (!speaks_for_others) {
        auto& count = counts_[source];
        if (count >= limits.connections_per_address) return std::nullopt;
        ++count;
    }
    ++in_all_;
    return Slot(*this, std::move(source));
}

void UnauthenticatedConnections::leave(const std::string& source) {
    const std::lock_guard lock(mutex_);
    --in_all_;
    const auto found = counts_.find(source);
    if (found == counts_.end()) return;
    if (--found->second == 0) counts_.erase(found);
}

}  // namespace device_streams::hub
