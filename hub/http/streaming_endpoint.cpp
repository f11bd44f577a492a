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

asio::awaitable<void> refuse_token(ClientConnection& client) {
    const std::string why = "the token is missing, wrong or expired";
    client.report(Errc::credential_refused, "stream leg: " + why);
    auto response = plain_error_answer(401, why);
    co_await client.send(std::move(response));
}

// A leg with a good token that comes too late, or twice, is normal (docs/protocol.md 4.3).
asio::awaitable<void> refuse_stale(ClientConnection& client, const LegTokens::Checked& leg_grant,
                                   Admission::Verdict verdict) {
    const bool twice = verdict == Admission::Verdict::role_taken;
    const std::string why =
        twice ? "this side of the stream is there already" : "there is no such stream, or no longer";
    client.hub.log.info("stream leg refused", {{"device", leg_grant.target.to_string()},
                                               {"leg", to_string(leg_grant.role)},
                                               {"peer", client.peer},
                                               {"reason", why}});
    auto response = plain_error_answer(twice ? 409 : 404, why);
    co_await client.send(std::move(response));
}

// A leg between admission and its end here: reports that it is gone unless it left, or its stream was handed over.
class AdmittedLeg {
 public:
    AdmittedLeg(HubContext& hub, const LegTokens::Checked& leg_grant) : hub_(hub), leg_grant_(leg_grant) {}
    AdmittedLeg(const AdmittedLeg&) = delete;
    AdmittedLeg& operator=(const AdmittedLeg&) = delete;
    ~AdmittedLeg() {
        if (!given_up_) hub_.broker.leg_left(leg_grant_.stream_id, leg_grant_.role);
    }
    // False: the stream is to be handed over.
    asio::awaitable<bool> leave() {
        given_up_ = co_await hub_.broker.leg_leaves(leg_grant_.stream_id, leg_grant_.role);
        co_return given_up_;
    }
    void hand_over(std::unique_ptr<ByteStream> leg) {
        given_up_ = true;
        hub_.broker.hand_over(leg_grant_.stream_id, leg_grant_.role, std::move(leg));
    }

 private:
    HubContext& hub_;
    const LegTokens::Checked& leg_grant_;
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
        co_await close_within(leg, close_reason, hub.limits.get()->relay.goodbye, hub.clock);
}

// From admission to the end of the leg, or to its departure for the bridge.
asio::awaitable<void> attach(ClientConnection& client, http::Response answer, const LegTokens::Checked& leg_grant,
                             const Admission& admission, Channel<LegOrder> orders, const Log& log) {
    auto& hub = client.hub;
    AdmittedLeg admitted(hub, leg_grant);
    co_await client.send(std::move(answer));
    std::vector<std::byte> early_bytes;
    auto transport = client.http.release(early_bytes);
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
        co_await close_within(*leg, close->close_reason, hub.limits.get()->relay.goodbye, hub.clock);
    else if (const auto* left = std::get_if<LeftBy>(&end))
        co_await part_with(hub, *leg, left->close_reason);
    else
        admitted.hand_over(std::move(leg));
}

}  // namespace

asio::awaitable<bool> serve_leg(ClientConnection& client, const http::Request& request) {
    auto answer = ws::answer_upgrade(request, ws::first_subprotocol(request));
    if (answer.status != 101) {
        co_await client.send(std::move(answer));
        co_return true;
    }
    const auto authorization = request.headers.find("Authorization").value_or("");
    auto& hub = client.hub;
    const auto leg_grant = hub.leg_tokens.check(request.target, authorization, hub.clock.unix_seconds());
    if (!leg_grant) {
        co_await refuse_token(client);
        co_return true;
    }
    const auto verdict = co_await attach_leg(client, std::move(answer), *leg_grant);
    if (verdict == Admission::Verdict::admitted) co_return false;
    co_await refuse_stale(client, *leg_grant, verdict);
    co_return true;
}

asio::awaitable<Admission::Verdict> attach_leg(ClientConnection& client, http::Response answer,
                                               LegTokens::Checked leg_grant) {
    const Channel<LegOrder> orders(co_await asio::this_coro::executor);
    const auto admission = co_await client.hub.broker.admit(leg_grant, orders);
    if (admission.verdict != Admission::Verdict::admitted) co_return admission.verdict;
    client.slot.reset();
    const auto log = client.hub.log.with({{"device", leg_grant.target.to_string()},
                                          {"stream", loggable_stream_id(admission.name)},
                                          {"leg", to_string(leg_grant.role)},
                                          {"peer", client.peer}});
    co_await attach(client, std::move(answer), leg_grant, admission, orders, log);
    co_return admission.verdict;
}

}  // namespace device_streams::hub
