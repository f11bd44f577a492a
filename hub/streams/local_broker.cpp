#include "hub/streams/local_broker.hpp"

#include "common/async/join.hpp"
#include "common/async/run_on.hpp"
#include "common/base/error.hpp"
#include "common/base/random.hpp"
#include "common/tunnel/stream_id.hpp"
#include "hub/streams/end_result.hpp"

namespace device_streams::hub {

namespace {

// A link that is told to go hears its device out without waiting; this is for one whose machine is overloaded.
constexpr auto takeover_limit = std::chrono::seconds(2);

// Of an answer's, which is the device's choice; ours are shorter.
constexpr std::size_t shown_of_request_id = 32;

template <typename Message>
asio::awaitable<void> arrival(Channel<Message> channel) {
    co_await channel.next();
}

}  // namespace

LocalBroker::LocalBroker(Strand control, Parts parts, PairingLimits requests, PresenceLimits links)
    : control_(control),
      parts_(std::move(parts)),
      presence_(links),
      pairing_(requests, random_hex_id),
      deadline_moved_(control) {
}

template <typename Function>
void LocalBroker::on_control(Function function) {
    auto run = [self = shared_from_this(), function = std::move(function)]() mutable {
        function();
        self->arm();
    };
    asio::post(control_, std::move(run));
}

// Links.

std::optional<LocalBroker::Entered> LocalBroker::enter(const NewLink& link, const Channel<LinkOrder>& orders,
                                                       const Channel<Nothing>& predecessor_gone) {
    if (!presence_.has_room_for(link.target)) return std::nullopt;
    const auto up = presence_.link_up(link.target, link.announced, parts_.clock.now(), link.login, link.client);
    links_.emplace(up.link, Link{orders, {}});
    if (stopped_) orders.post(DropLink{DropLink::Reason::stopping});
    if (!up.replaced) return Entered{up.link, false};
    Link& old = links_.at(*up.replaced);
    old.waiting_for_end.push_back(predecessor_gone);
    const auto reason = up.renewal ? DropLink::Reason::renewed : DropLink::Reason::taken_over;
    old.orders.post(DropLink{reason, {}, link.client.peer});
    return Entered{up.link, true};
}

asio::awaitable<std::optional<LinkNumber>> LocalBroker::link_up(NewLink link, Channel<LinkOrder> orders) {
    const Channel<Nothing> predecessor_gone(co_await asio::this_coro::executor);
    auto come_in = [&] { return enter(link, orders, predecessor_gone); };
    const auto entered = co_await run_on(control_, come_in);
    if (!entered) co_return std::nullopt;
    if (!entered->must_wait) co_return entered->link;
    try {
        co_await first_of(arrival(predecessor_gone), parts_.clock.sleep_for(takeover_limit));
    } catch (...) {
        link_down(entered->link);
        throw;
    }
    co_return entered->link;
}

void LocalBroker::start_requests(LinkNumber link) {
    on_control([this, link] {
        if (!presence_.subscribe(link)) return;
        const auto target = *presence_.target_of(link);
        const auto state = presence_.state_of(target);
        perform(pairing_.device_subscribed(target, link, state.announced, parts_.clock.now(), state.login));
    });
}

void LocalBroker::stop_requests(LinkNumber link) {
    on_control([this, link] { presence_.unsubscribe(link); });
}

void LocalBroker::take_answer(LinkNumber link, iothub::StreamAnswer answer) {
    on_control([this, link, answer = std::move(answer)] {
        const auto* target = presence_.target_of(link);
        if (target == nullptr) return;
        auto actions = pairing_.answered(*target, answer);
        if (actions.empty())
            parts_.log.debug("stale answer ignored", {{"device", target->to_string()},
                                                      {"request", answer.request_id.substr(0, shown_of_request_id)}});
        perform(std::move(actions));
    });
}

void LocalBroker::link_down(LinkNumber link) {
    on_control([this, link] {
        const auto found = links_.find(link);
        if (found == links_.end()) return;
        for (const auto& successor : found->second.waiting_for_end) successor.post({});
        links_.erase(found);
        presence_.link_down(link, parts_.clock.now());
    });
}

asio::awaitable<std::vector<iothub::Target>> LocalBroker::online() {
    auto look = [this] { return presence_.online(); };
    auto all = co_await run_on(control_, look);
    co_return all;
}

// Requests.

asio::awaitable<RequestResult> LocalBroker::request(OpenRequest open_request) {
    const Channel<RequestResult> reply(co_await asio::this_coro::executor);
    const RequestNumber number = ++last_request_;
    on_control([this, number, reply, open_request = std::move(open_request)]() mutable {
        if (stopped_) return reply.post(Refused{iothub::RestError::server_error, "the hub is stopping"});
        const auto device = presence_.state_of(open_request.target);
        replies_.emplace(number, reply);
        perform(pairing_.open(number, std::move(open_request), device, parts_.clock.now()));
    });
    try {
        auto result = co_await reply.next();
        co_return result;
    } catch (...) {
        cancel(number);
        throw;
    }
}

void LocalBroker::cancel(RequestNumber request) {
    on_control([this, request] {
        replies_.erase(request);
        perform(pairing_.cancel(request));
    });
}

// Legs.

asio::awaitable<Admission> LocalBroker::admit(LegTokens::Checked leg_grant, Channel<LegOrder> orders) {
    auto look = [&] {
        auto admission = pairing_.admit(leg_grant.stream_id, leg_grant.role, leg_grant.target);
        if (admission.verdict == Admission::Verdict::admitted) {
            legs_.emplace(LegKey{leg_grant.stream_id, leg_grant.role}, orders);
            perform(pairing_.join(leg_grant.stream_id));
        }
        return admission;
    };
    auto admission = co_await run_on(control_, look);
    co_return admission;
}

asio::awaitable<bool> LocalBroker::leg_leaves(const std::string& stream_id, StreamRole role) {
    auto leave = [&] {
        if (joiner_.expect(stream_id)) return false;
        legs_.erase({stream_id, role});
        perform(pairing_.leg_left(stream_id, role));
        return true;
    };
    const bool left = co_await run_on(control_, leave);
    co_return left;
}

void LocalBroker::leg_left(const std::string& stream_id, StreamRole role) {
    on_control([this, stream_id, role] {
        legs_.erase({stream_id, role});
        perform(pairing_.leg_left(stream_id, role));
        if (auto joined = joiner_.leg_lost(stream_id, role)) settle(std::move(*joined));
    });
}

void LocalBroker::hand_over(const std::string& stream_id, StreamRole role, std::unique_ptr<ByteStream> leg) {
    on_control([this, stream_id, role, leg = std::move(leg)]() mutable {
        if (auto joined = joiner_.arrived(stream_id, role, std::move(leg))) settle(std::move(*joined));
    });
}

void LocalBroker::settle(LegJoiner::Joined joined) {
    if (joined.device && joined.service && joined.revoked.empty())
        parts_.bridge(std::move(joined.stream), std::move(joined.device), std::move(joined.service));
    else
        part(std::move(joined));
}

// Both legs are accounted for and will not be joined.
void LocalBroker::part(LegJoiner::Joined joined) {
    const bool revoked = !joined.revoked.empty();
    const auto close_reason = revoked ? CloseReason::refused : stopped_ ? CloseReason::stopping : CloseReason::lost;
    perform(
        Abandon{joined.stream, revoked ? joined.revoked : "one leg was lost just before the other came", close_reason});
    for (auto* leg : {&joined.device, &joined.service})
        if (*leg) parts_.close_alone(std::move(*leg), close_reason);
}

// Doing what the pairing says.

void LocalBroker::perform(PairingActions actions) {
    for (auto& action : actions) std::visit([this](auto& known) { perform(known); }, action);
}

void LocalBroker::perform(Deliver& action) {
    const auto link = links_.find(action.link);
    if (link != links_.end()) link->second.orders.post(std::move(action.request));
}

void LocalBroker::perform(Reply& action) {
    const auto waiting = replies_.extract(action.request);
    if (!waiting.empty()) waiting.mapped().post(std::move(action.result));
}

void LocalBroker::perform(const EndLeg& action) {
    const auto leg = legs_.find({action.stream_id, action.role});
    if (leg == legs_.end()) return;
    leg->second.post(CloseLeg{action.close_reason});
    legs_.erase(leg);
}

void LocalBroker::perform(const Join& action) {
    joiner_.expect_legs(action.stream);
    for (const auto role : {StreamRole::device, StreamRole::service}) {
        const auto leg = legs_.find({action.stream.stream_id, role});
        leg->second.post(JoinLeg{});
        legs_.erase(leg);
    }
}

void LocalBroker::perform(const Abandon& action) {
    const auto code = action.close_reason == CloseReason::stopping  ? Errc::hub_stopping
                      : action.close_reason == CloseReason::refused ? Errc::credential_refused
                                                                    : Errc::handshake_expired;
    const auto& info = device_streams::describe(code);
    parts_.log.info("stream given up", {{"device", action.stream.target.to_string()},
                                        {"stream", loggable_stream_id(action.stream.name)},
                                        {"code", info.id},
                                        {"reason", action.why},
                                        {"next", info.advice}});
    const auto fault =
        code == Errc::handshake_expired ? result_types::legs_never_met : result_type_of(action.close_reason, false);
    parts_.given_up({action.stream.target, action.stream.name, action.stream.stream_id, 0, 0, {}, action.why, fault});
}

// Time and stopping.

void LocalBroker::arm() {
    const auto next = pairing_.next_deadline();
    if (next && *next < watched_deadline_) deadline_moved_.post({});
}

asio::awaitable<void> LocalBroker::watch_deadlines() {
    const auto self = shared_from_this();
    for (;;) {
        perform(pairing_.expire(parts_.clock.now()));
        watched_deadline_ = pairing_.next_deadline().value_or(Clock::time_point::max());
        if (watched_deadline_ == Clock::time_point::max())
            co_await deadline_moved_.next();
        else
            co_await first_of(arrival(deadline_moved_), parts_.clock.sleep_until(watched_deadline_));
    }
}

void LocalBroker::set_limits(PairingLimits requests, PresenceLimits links) {
    on_control([this, requests, links] {
        pairing_.set_limits(requests);
        presence_.set_limits(links);
    });
}

void LocalBroker::revoke(const Revocation& revoked) {
    on_control([this, revoked] {
        ++revocations_;
        for (const auto link : presence_.forget(revoked))
            if (const auto found = links_.find(link); found != links_.end())
                found->second.orders.post(DropLink{DropLink::Reason::revoked, std::string(revoked.why())});
        perform(pairing_.forget(revoked));
        joiner_.revoke(revoked);
        parts_.cut(revoked);  // from here, so that no stream begins in between
    });
}

void LocalBroker::stop() {
    on_control([this] {
        stopped_ = true;
        for (const auto& [number, link] : links_) link.orders.post(DropLink{DropLink::Reason::stopping});
        perform(pairing_.stop());
    });
}

asio::awaitable<void> LocalBroker::flush() {
    auto nothing = [] { return true; };
    co_await run_on(control_, nothing);
}

}  // namespace device_streams::hub
