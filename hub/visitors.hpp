#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace device_streams::hub {

/// Counts, for each address, the connections on which nobody has logged in. Any thread; it outlives its visitors.
class Visitors {
 public:
    /// Counts as long as it lives.
    class Visitor {
     public:
        Visitor(Visitor&& other) noexcept
            : home_(std::exchange(other.home_, nullptr)), address_(std::move(other.address_)) {}
        Visitor& operator=(Visitor&& other) noexcept {
            std::swap(home_, other.home_);
            std::swap(address_, other.address_);
            return *this;
        }
        ~Visitor() {
            if (home_ != nullptr) home_->leave(address_);
        }

     private:
        friend class Visitors;
        Visitor(Visitors& home, std::string address) : home_(&home), address_(std::move(address)) {}
        Visitors* home_;
        std::string address_;
    };

    /// `peer` is address:port; nullopt when `limit` connections of that address are there.
    std::optional<Visitor> enter(const std::string& peer, std::size_t limit) {
        auto address = peer.substr(0, peer.rfind(':'));
        const std::lock_guard lock(mutex_);
        auto& count = counts_[address];
        if (count >= limit) return std::nullopt;
        ++count;
        return Visitor(*this, std::move(address));
    }

 private:
    void leave(const std::string& address) {
        const std::lock_guard lock(mutex_);
        const auto found = counts_.find(address);
        if (--found->second == 0) counts_.erase(found);
    }

    std::mutex mutex_;  // start and end of connections only
    std::unordered_map<std::string, std::size_t> counts_;
};

}  // namespace device_streams::hub
