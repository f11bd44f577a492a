#include "hub/http/streaming_endpoint.hpp"

#include "common/async/join.hpp"
#include "common/tunnel/leg_options.hpp"
#include "common/tunnel/stream_id.hpp"
#include "common/ws/handshake.hpp"
#include "common/ws/ws_stream.hpp"
#include "hub/http/rest_answer.hpp"
#include "hub/streams/close_within.hpp"

#include <variant>

namespace device_streams::hub {

namespace {

asio::awaitable<void> refuse_token(HubContext& hub, http::Connection& connection, const std::string& peer) {
    const std::string why = "the token is missing, wrong or expired";
    hub.peer_faults.report(peer, Errc::credential_refused, "stream leg: " + why);
    auto response = plain_error_answer(401, why);
    co_await send_answer(hub, connection, peer, std::move(response));
}

// A leg with a good token that comes too late, or twice, is normal (docs/protocol.md 4.3).
asio::awaitable<void> refuse_stale(HubContext& hub, http::Connection& connection, const std::string& peer,
                                   const LegTokens::Checked& leg_grant, Admission::Verdict verdict) {
    const bool twice = verdict == Admission::Verdict::role_taken;
    const std::string why =
        twice ? "this side of the stream is there already" : "there is no such stream, or no longer";
    hub.log.info("stream leg refused", {{"device", leg_grant.target.to_string()},
                                        {"leg", to_string(leg_grant.role)},
                                        {"peer", peer},
                                        {"reason", why}});
    auto response = plain_error_answer(twice ? 409 : 404, why);
    co_await send_answer(hub, connection, peer, std::move(response));
}

// A leg between admission and its end here: reports that it is gone unless it left, or its stream was handed over.
class AdmittedLeg {
 public:
    AdmittedLeg(HubContext& hub, const LegTokens::Checked& leg_grant) : hub_(hub), ticket_(leg_grant) {}
    AdmittedLeg(const AdmittedLeg&) = delete;
    AdmittedLeg& operator=(const AdmittedLeg&) = delete;
    ~AdmittedLeg() {
        if (!given_up_) hub_.broker.leg_left(ticket_.stream_id, ticket_.role);
    }
    // False: the stream is to be handed over.
    asio::awaitable<bool> leave() {
        given_up_ = co_await hub_.broker.leg_leaves(ticket_.stream_id, ticket_.role);
        co_return given_up_;
    }
    void hand_over(std::unique_ptr<ByteStream> leg) {
        given_up_ = true;
        hub_.broker.hand_over(ticket_.stream_id, ticket_.role, std::move(leg));
    }

 private:
    HubContext& hub_;
    const LegTokens::Checked& ticket_;
    bool given_up_ = false;
};

// What ended the leg while it waited, without an order; then it has left its place, unless it was told to join before.
struct LeftBy {
    CloseReason close_reason;
};
using EndOfWait = std::variant<JoinLeg, CloseLeg, LeftBy>;

asio::awaitable<EndOfWait> wait_for_order(AdmittedLeg& admitted, ws::WsStream& leg, const Channel<LegOrder>& orders,
                                          const Log& log) {
    auto order = orders.try_next();
    CloseReason close_reason = CloseReason::clean;
    if (!order) {
        const auto strand = co_await asio::this_coro::executor;
        FailureEvent lost(strand);
        const auto watching = leg.watch(strand, [&lost](const std::exception_ptr& why) { lost.ring(why); });
        try {
            co_await first_of(store(orders.next(), order), leg.park(), lost);
        } catch (const StreamError& ended) {
            log.info("stream leg ended while it waited", {{"reason", ended.what()}});
            close_reason = ended.close_reason();
        }
    }
    if (order) co_return std::visit([](const auto& known) { return EndOfWait(known); }, *order);
    // The bridge tells the other leg how this one ended.
    const bool left = co_await admitted.leave();
    co_return left ? EndOfWait(LeftBy{close_reason}) : EndOfWait(JoinLeg());
}

// A lost leg hears no goodbye.
asio::awaitable<void> part_with(HubContext& hub, ws::WsStream& leg, CloseReason close_reason) {
    if (close_reason == CloseReason::lost || close_reason == CloseReason::reset)
        leg.abort(CloseReason::lost);
    else
        co_await close_within(leg, close_reason, hub.limits.get()->goodbye, hub.clock);
}

// From admission to the end of the leg, or to its departure for the bridge.
asio::awaitable<void> attach(HubContext& hub, http::Connection& connection, const std::string& peer,
                             http::Response answer, const LegTokens::Checked& leg_grant, const Admission& admission,
                             Channel<LegOrder> orders, const Log& log) {
    AdmittedLeg admitted(hub, leg_grant);
    co_await send_answer(hub, connection, peer, std::move(answer));
    std::vector<std::byte> early_bytes;
    auto transport = connection.release(early_bytes);
    const auto options = leg_options(ws::Role::server, admission.features, hub.limits.get()->liveness, hub.clock);
    auto leg = std::make_unique<ws::WsStream>(std::move(transport), options, std::move(early_bytes));
    EndOfWait end;
    try {
        end = co_await wait_for_order(admitted, *leg, orders, log);
    } catch (...) {
        leg->abort(CloseReason::stopping);  // the hub's end cuts the wait short, but the peer still hears why
        throw;
    }
    if (const auto* close = std::get_if<CloseLeg>(&end))
        co_await close_within(*leg, close->close_reason, hub.limits.get()->goodbye, hub.clock);
    else if (const auto* left = std::get_if<LeftBy>(&end))
        co_await part_with(hub, *leg, left->close_reason);
    else
        admitted.hand_over(std::move(leg));
}

}  // namespace

asio::awaitable<bool> serve_leg(HubContext& hub, http::Connection& connection, http::Request request, std::string peer,
                                std::optional<UnauthenticatedConnections::Slot>& slot) {
    auto answer = ws::answer_upgrade(request, ws::first_subprotocol(request));
    if (answer.status != 101) {
        co_await send_answer(hub, connection, peer, std::move(answer));
        co_return true;
    }
    const auto authorization = request.headers.find("Authorization").value_or("");
    const auto leg_grant = hub.leg_tokens.check(request.target, authorization, hub.clock.unix_seconds());
    if (!leg_grant) {
        co_await refuse_token(hub, connection, peer);
        co_return true;
    }
    const auto verdict = co_await attach_leg(hub, connection, peer, std::move(answer), *leg_grant, slot);
    if (verdict == Admission::Verdict::admitted) co_return false;
    co_await refuse_stale(hub, connection, peer, *leg_grant, verdict);
    co_return true;
}

asio::awaitable<Admission::Verdict> attach_leg(HubContext& hub, http::Connection& connection, std::string peer,
                                               http::Response answer, LegTokens::Checked admitted,
                                               std::optional<UnauthenticatedConnections::Slot>& slot) {
    const Channel<LegOrder> orders(co_await asio::this_coro::executor);
    const auto admission = co_await hub.broker.admit(admitted, orders);
    if (admission.verdict != Admission::Verdict::admitted) co_return admission.verdict;
    slot.reset();
    const auto log = hub.log.with({{"device", admitted.target.to_string()},
                                   {"stream", loggable_stream_id(admission.name)},
                                   {"leg", to_string(admitted.role)},
                                   {"peer", peer}});
    co_await attach(hub, connection, peer, std::move(answer), admitted, admission, orders, log);
    co_return admission.verdict;
}

}  // namespace device_streams::hub
