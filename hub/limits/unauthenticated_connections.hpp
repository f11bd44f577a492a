#pragma once

#include "hub/limits/hub_limits.hpp"

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace device_streams::hub {

/// Counts the connections on which nobody has logged in, together and for each source (source_of) but trusted proxies.
/// Any thread; it outlives its slots.
class UnauthenticatedConnections {
 public:
    /// Counts as long as it lives.
    class Slot {
     public:
        Slot(Slot&& other) noexcept : home_(std::exchange(other.home_, nullptr)), source_(std::move(other.source_)) {}
        Slot& operator=(Slot&& other) noexcept {
            std::swap(home_, other.home_);
            std::swap(source_, other.source_);
            return *this;
        }
        ~Slot() {
            if (home_ != nullptr) home_->leave(source_);
        }

     private:
        friend class UnauthenticatedConnections;
        Slot(UnauthenticatedConnections& home, std::string source) : home_(&home), source_(std::move(source)) {}
        UnauthenticatedConnections* home_;
        std::string source_;
    };

    /// `peer` is address:port; nullopt when one of the limits is reached.
    std::optional<Slot> enter(std::string_view peer, const ConnectionLimits& limits);

 private:
    void leave(const std::string& source);

    std::mutex mutex_;  // start and end of connections only
    std::size_t in_all_ = 0;
    std::unordered_map<std::string, std::size_t> counts_;
};

}  // namespace device_streams::hub
