#pragma once

#include "common/base/clock.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/tunnel/features.hpp"
#include "hub/identity/revocation.hpp"
#include "hub/limits/hub_limits.hpp"
#include "hub/streams/link_renewal.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace device_streams::hub {

using LinkNumber = std::uint64_t;

/// A device (or module) as a stream request sees it.
struct DeviceState {
    std::optional<LinkNumber> subscribed_link{};  ///< where requests can be delivered now
    std::optional<Features> announced{};          ///< by that link's client; nullopt: a foreign client
    Credential login{};                           ///< what that link's login rested on
    Clock::time_point grace_until{};              ///< without a subscribed link it still counts as online until then
};

/// Which identities are online and subscribed for stream requests. One link per identity: a new one replaces the old.
/// An identity that was subscribed counts as online for a grace time after its link was replaced or lost, so that
/// reconnecting (for a new token, or after a network change) refuses no stream. Plain state: no sockets, no clock of
/// its own.
class Presence {
 public:
    explicit Presence(PresenceLimits limits = {}) : limits_(limits) {}

    /// False when there are too many identities with a link; a link may always be replaced.
    bool has_room_for(const iothub::Target& target) const;

    struct LinkUp {
        LinkNumber link;
        std::optional<LinkNumber> replaced;  ///< to be dropped; it stays known until link_down
        bool renewal = false;                ///< by the same client
    };
    LinkUp link_up(const iothub::Target& target, std::optional<Features> announced, Clock::time_point now,
                   Credential login = {}, LinkClient client = {});
    /// False when the link was replaced meanwhile: it gets no requests any more.
    bool subscribe(LinkNumber link);
    /// The device does not want requests: no grace.
    void unsubscribe(LinkNumber link);
    void link_down(LinkNumber link, Clock::time_point now);
    /// Links of revoked logins get no requests any more, and there is no grace. Returns them, to be dropped.
    std::vector<LinkNumber> forget(const Revocation& revoked);

    void set_limits(PresenceLimits limits) { limits_ = limits; }
    /// nullptr for a link that is down.
    const iothub::Target* target_of(LinkNumber link) const;
    DeviceState state_of(const iothub::Target& target) const;
    /// All identities with a link.
    std::vector<iothub::Target> online() const;

 private:
    struct Link {
        iothub::Target target;
        std::optional<Features> announced;
        Credential login;
        LinkClient client;
        Clock::time_point since;
        bool subscribed = false;
    };
    struct Identity {
        std::optional<LinkNumber> current;
        Clock::time_point grace_until{};
    };
    void drop_expired(Clock::time_point now);

    PresenceLimits limits_;
    LinkNumber last_link_ = 0;
    std::unordered_map<LinkNumber, Link> links_;
    std::map<iothub::Target, Identity> identities_;
    std::size_t linked_ = 0;                                           // identities with a current link
    std::set<std::pair<Clock::time_point, iothub::Target>> in_grace_;  // without a link; to be forgotten in this order
};

}  // namespace device_streams::hub
