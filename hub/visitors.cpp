#include "hub/visitors.hpp"

#include <arpa/inet.h>
#include <array>

namespace device_streams::hub {

namespace {

constexpr std::string_view mapped_ipv4 = "::ffff:";

std::string network_of(const std::string& address) {
    in6_addr bytes{};
    if (inet_pton(AF_INET6, address.c_str(), &bytes) != 1) return address;
    for (std::size_t i = 8; i < sizeof bytes.s6_addr; ++i) bytes.s6_addr[i] = 0;
    std::array<char, INET6_ADDRSTRLEN> text{};
    return inet_ntop(AF_INET6, &bytes, text.data(), text.size()) + std::string("/64");
}

}  // namespace

std::string household_of(std::string_view peer) {
    auto address = peer.substr(0, peer.rfind(':'));
    if (!address.starts_with('[')) return std::string(address);
    address = address.substr(1, address.size() - 2);
    const bool mapped = address.starts_with(mapped_ipv4) && address.find('.') != std::string_view::npos;
    return mapped ? std::string(address.substr(mapped_ipv4.size())) : network_of(std::string(address));
}

std::optional<Visitors::Visitor> Visitors::enter(std::string_view peer, Limits limits) {
    auto household = household_of(peer);
    const std::lock_guard lock(mutex_);
    if (in_all_ >= limits.in_all) return std::nullopt;
    auto& count = counts_[household];
    if (count >= limits.per_address) return std::nullopt;
    ++count;
    ++in_all_;
    return Visitor(*this, std::move(household));
}

void Visitors::leave(const std::string& household) {
    const std::lock_guard lock(mutex_);
    --in_all_;
    const auto found = counts_.find(household);
    if (--found->second == 0) counts_.erase(found);
}

}  // namespace device_streams::hub
