#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace device_streams::hub {

/// Who shares one count: an IPv4 address, also when it comes mapped into IPv6, or the /64 of an IPv6 address, as one
/// customer has all of it. `peer` is address:port.
std::string household_of(std::string_view peer);

/// Counts the connections on which nobody has logged in, together and for each household. Any thread; it outlives its
/// visitors.
class Visitors {
 public:
    struct Limits {
        std::size_t per_address;
        std::size_t in_all;
    };
    /// Counts as long as it lives.
    class Visitor {
     public:
        Visitor(Visitor&& other) noexcept
            : home_(std::exchange(other.home_, nullptr)), household_(std::move(other.household_)) {}
        Visitor& operator=(Visitor&& other) noexcept {
            std::swap(home_, other.home_);
            std::swap(household_, other.household_);
            return *this;
        }
        ~Visitor() {
            if (home_ != nullptr) home_->leave(household_);
        }

     private:
        friend class Visitors;
        Visitor(Visitors& home, std::string household) : home_(&home), household_(std::move(household)) {}
        Visitors* home_;
        std::string household_;
    };

    /// `peer` is address:port; nullopt when one of the limits is reached.
    std::optional<Visitor> enter(std::string_view peer, Limits limits);

 private:
    void leave(const std::string& household);

    std::mutex mutex_;  // start and end of connections only
    std::size_t in_all_ = 0;
    std::unordered_map<std::string, std::size_t> counts_;
};

}  // namespace device_streams::hub
