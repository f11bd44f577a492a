#pragma once

#include "common/async/task_set.hpp"
#include "common/http/connection.hpp"
#include "hub/core/hub_context.hpp"
#include "hub/http/arrival.hpp"
#include "hub/http/pending_leg_guard.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace device_streams::hub {

/// One connection to the hub's HTTPS port that was let in: what the endpoints that serve its requests share.
/// It lives as long as the connection, also when that has become a leg, but not longer than until it has become a link.
struct ClientConnection {
    ClientConnection(HubContext& hub_context, Arrival arrival)
        : hub(hub_context),
          http(std::move(arrival.transport), &hub_context.clock),
          connected_peer(std::move(arrival.peer)),
          peer(connected_peer),
          send_away(std::move(arrival.send_away)),
          slot(std::move(arrival.slot)),
          pending_leg(hub_context.broker) {}

    /// Sends an answer, as long as the limit of a head allows. Throws StreamError(lost) for a peer that does not read
    /// it.
    asio::awaitable<void> send(http::Response response);
    /// Says in the log what the peer did wrong, at a bounded rate.
    void report(Errc fault, const std::string& why) const { hub.peer_faults.report(peer, fault, why); }
    /// From here on it is not known whom the next request is for.
    void forget_peer() { peer = connected_peer; }

    /// Counts the connection for the client that it is for now.
    void become_stranger() { take_place(peer == connected_peer ? send_away : SendAway()); }
    /// From here on the connection is for no other client than this one, who may be sent away then. False: there is no
    /// room.
    bool settle() {
        if (peer != connected_peer) take_place(send_away);
        return slot.has_value();
    }
    /// How long to wait for what is usually waited for so long.
    Clock::duration patience(Clock::duration usual) const { return slot ? slot->patience(usual) : usual; }

    HubContext& hub;
    http::Connection http;
    const std::string connected_peer;                      ///< whom the connection is for
    std::string peer;                                      ///< whom the request is for; differs behind a front end
    const SendAway send_away;                              ///< of this connection
    std::optional<UnauthenticatedConnections::Slot> slot;  ///< let go once a credential of the peer was good
    PendingLegGuard pending_leg;
    std::unique_ptr<Continuation> link;  ///< what the connection has become, if so

 private:
    void take_place(SendAway how) {
        slot.reset();
        slot = take_slot(hub, peer, std::move(how));
    }
};

}  // namespace device_streams::hub
