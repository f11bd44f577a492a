#pragma once

#include "common/net/byte_stream.hpp"
#include "hub/streams/channel.hpp"
#include "hub/streams/leg_tokens.hpp"
#include "hub/streams/pairing.hpp"
#include "hub/streams/presence.hpp"

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace device_streams::hub {

/// A link whose login was granted.
struct NewLink {
    iothub::Target target;
    Credential login{};
    std::optional<Features> announced{};
    LinkClient client{};
};

// What a link hears.
struct DropLink {
    enum class Reason { taken_over, renewed, revoked, stopping } reason;
    std::string why{};       ///< of a revocation, one clause
    std::string new_peer{};  ///< address:port of the link in its place
};
using LinkOrder = std::variant<DeviceRequest, DropLink>;

// What a waiting leg hears, once: the leg ends its wait, and hands its stream over or closes it.
struct JoinLeg {};
struct CloseLeg {
    CloseReason close_reason;
};
using LegOrder = std::variant<JoinLeg, CloseLeg>;

/// Presence and pairing as the endpoints use them. The seam for a hub of several nodes: links, requests and legs may
/// then sit on different nodes, while the bytes of a stream never pass through here. Calls come from any strand.
class StreamBroker {
 public:
    virtual ~StreamBroker() = default;

    /// Takes a link in; nullopt: there are too many. An older link of the identity is told
    /// to go, and has been heard out when this returns (bounded in time). `orders` is the link's. Every link that came
    /// up must be told down.
    virtual asio::awaitable<std::optional<LinkNumber>> link_up(NewLink link, Channel<LinkOrder> orders) = 0;
    virtual void start_requests(LinkNumber link) = 0;
    virtual void stop_requests(LinkNumber link) = 0;
    virtual void take_answer(LinkNumber link, iothub::StreamAnswer answer) = 0;
    virtual void link_down(LinkNumber link) = 0;

    /// Returns when the device has answered or the request has failed. Cancelling the coroutine cancels the request.
    virtual asio::awaitable<RequestResult> request(OpenRequest open_request) = 0;
    /// The service that asked went away: ends the request, also when it was granted, unless the service's leg is there.
    virtual void cancel(RequestNumber request) = 0;

    /// A leg whose token was good wants in. Once admitted it must end in hand_over, a leg_leaves that was granted, or
    /// leg_left.
    virtual asio::awaitable<Admission> admit(LegTokens::Checked leg_grant, Channel<LegOrder> orders) = 0;
    /// A waiting leg has ended and would leave. False: it was told to join before, and is to be handed over.
    virtual asio::awaitable<bool> leg_leaves(const std::string& stream_id, StreamRole role) = 0;
    /// It is gone without having asked.
    virtual void leg_left(const std::string& stream_id, StreamRole role) = 0;
    /// The answer to JoinLeg: the caller does not touch the stream any more.
    virtual void hand_over(const std::string& stream_id, StreamRole role, std::unique_ptr<ByteStream> leg) = 0;

    /// The links, requests, waiting legs and streams of these logins end at once.
    virtual void revoke(const Revocation& revoked) = 0;
    /// How many were taken in so far. A request rests on what was checked before it: when this has grown by the time
    /// of its result, it must be checked again, as a revocation may have come before the request was there to end.
    virtual std::uint64_t revocations() const = 0;
    /// All identities with a link.
    virtual asio::awaitable<std::vector<iothub::Target>> online() = 0;
};

}  // namespace device_streams::hub
