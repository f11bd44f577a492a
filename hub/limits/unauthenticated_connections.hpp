#pragma once

#include "hub/limits/hub_limits.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace device_streams::hub {

/// Ends the connection of a visitor whose place another one gets, on its own strand and only if `still_here` says so
/// there: it may have logged in meanwhile. Called with a lock held, so it must return at once. Empty: it is not ended,
/// as one of a front end that carries requests of many clients.
using SendAway = std::function<void(std::function<bool()> still_here)>;

/// The connections on which nobody has logged in, counted together and for each source (sources_of) but trusted
/// proxies. Where a newcomer finds no room, who has been silent for longest goes: who means to log in does so
/// soon. A source that has more than a sixteenth of the room gives up its own first. Those that cannot be sent away
/// have at most half of the room. Any thread; it outlives its slots.
class UnauthenticatedConnections {
 public:
    class Visitor;

    /// A place at the table, as long as it lives.
    class Slot {
     public:
        Slot(Slot&& other) noexcept : home_(std::exchange(other.home_, nullptr)), visitor_(std::move(other.visitor_)) {}
        Slot& operator=(Slot&& other) noexcept {
            std::swap(home_, other.home_);
            std::swap(visitor_, other.visitor_);
            return *this;
        }
        ~Slot() {
            if (home_ != nullptr) home_->leave(*visitor_);
        }
        /// The visitor has come a step further, and is as good as new.
        void advance() const { home_->advance(*visitor_); }
        /// How long to wait for what is usually waited for so long: a quarter of it while what the visitor's source may
        /// have is more than half full, and half of it while the room of all is.
        Clock::duration patience(Clock::duration usual) const { return home_->patience(*visitor_, usual); }

     private:
        friend class UnauthenticatedConnections;
        Slot(UnauthenticatedConnections& home, std::shared_ptr<Visitor> visitor)
            : home_(&home), visitor_(std::move(visitor)) {}
        UnauthenticatedConnections* home_;
        std::shared_ptr<Visitor> visitor_;
    };

    struct Entered {
        std::optional<Slot> slot;  ///< nullopt: there is no room, and nobody who could go
        std::string sent_away{};   ///< the peer whose place it is; empty: nobody's
    };
    /// `peer` is address:port. The slot is dropped on the visitor's strand.
    Entered enter(std::string_view peer, const ConnectionLimits& limits, SendAway send_away);

 private:
    struct Source;
    void leave(Visitor& visitor);
    void advance(Visitor& visitor);
    void forget(Visitor& visitor);
    static Visitor* oldest_of(const Source& source, const Visitor& newcomer);
    std::string send_away_one_of(const Source& crowd, const Visitor& newcomer);
    Source* first_full(const Visitor& visitor, const ConnectionLimits& limits);
    Clock::duration patience(const Visitor& visitor, Clock::duration usual);
    void add(const std::shared_ptr<Visitor>& visitor, Source& source);

    struct Source {
        std::string name;
        Source* parent = nullptr;
        std::size_t most = 0;          // as of the last newcomer
        std::size_t size = 0;          // all below it
        std::list<Visitor*> by_age{};  // those that can be sent away, the longest silent first
        std::unordered_map<std::string, std::unique_ptr<Source>> parts{};
        std::set<std::pair<std::size_t, Source*>> parts_by_size{};
    };

    std::mutex mutex_;  // start and end of connections only
    std::size_t in_all_ = 0;
    std::size_t fixed_ = 0;  // of these, who cannot be sent away
    Source everybody_{};
};

}  // namespace device_streams::hub
