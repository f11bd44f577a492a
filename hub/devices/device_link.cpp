#include "hub/devices/device_link.hpp"

#include "common/async/join.hpp"
#include "common/async/poll_timer.hpp"
#include "common/iothub/takeover.hpp"
#include "common/net/socket_address.hpp"
#include "common/tunnel/stream_id.hpp"
#include "hub/core/sign_leg.hpp"

#include <asio/this_coro.hpp>

#include <algorithm>

namespace device_streams::hub {

namespace {

// Before the login a client may send a CONNECT and no more.
constexpr std::size_t first_packet_limit = 16 * 1024;
constexpr std::size_t packet_limit = 256 * 1024;
// Bytes that are still read from a link that another one replaces.
constexpr std::size_t last_words_limit = 1024 * 1024;

// How much longer a link lives than its token, as in Azure; devices renew well before.
constexpr auto renewal_patience = std::chrono::seconds(600);

// What is left of its token or certificate. For the steady clock: a wall clock that is set must not end links.
Clock::duration credential_life(const CredentialCheck& granted, std::int64_t unix_now) {
    constexpr std::int64_t century = 100LL * 365 * 24 * 3600;
    return std::chrono::seconds(std::min(granted.expiry - unix_now, century));
}

}  // namespace

DeviceLink::DeviceLink(HubContext& hub, ByteStream& stream, std::optional<ClientCertificate> shown,
                       const asio::any_io_executor& strand)
    : hub_(hub), connection_(stream, strand, first_packet_limit), orders_(strand), shown_(std::move(shown)) {
}

void DeviceLink::note_end(std::optional<Errc> fault, std::string why, std::string new_peer) {
    if (!end_) end_ = EndLink{fault, std::move(why), std::move(new_peer)};
}

// The login.

Credential::Kind DeviceLink::claimed_by(const Secret& password) const {
    if (password.empty() && shown_) return Credential::Kind::certificate;
    return named_policy(password).empty() ? Credential::Kind::device_key : Credential::Kind::policy_key;
}

asio::awaitable<bool> DeviceLink::log_in(const std::string& peer) {
    const auto packet = co_await connection_.next();
    if (!packet) {
        note_end(Errc::peer_garbage, "it left before its CONNECT");
        co_return false;
    }
    auto actions = session_.received(*packet);
    if (const auto* check = std::get_if<CheckLogin>(&actions.front())) {
        login_ = check->login;
        claimed_ = claimed_by(login_->password);
        const auto code = co_await decide(peer);
        login_->password = Secret();
        shown_.reset();
        actions = session_.login_decided(code);
    }
    if_late_ = {Errc::peer_slow, "it does not read the answer to its CONNECT"};
    perform(actions);
    co_await connection_.flush();
    last_heard_ = hub_.clock.now();
    connection_.set_packet_limit(packet_limit);
    const auto rate = hub_.limits.get()->links.packets_per_second;
    connection_.limit({.per_second = rate, .at_once = rate}, hub_.clock);
    co_return session_.is_up();
}

asio::awaitable<ConnackCode> DeviceLink::decide(const std::string& peer) {
    const auto target = login_->target;
    const auto policy = named_policy(login_->password);
    constexpr Late slow_registry{Errc::state_unusable, "the registry took too long for a login"};
    try {
        const auto now = hub_.clock.unix_seconds();
        if_late_ = slow_registry;
        const auto checked = co_await check(now);
        if (!checked.granted()) {
            note_end(Errc::credential_refused, target.to_string() + ": " + to_string(*checked.denial));
            co_return ConnackCode::refused;
        }
        auto link = new_link(checked, peer, now);
        must_renew_by_ = hub_.clock.now() + link.client.credential_life + renewal_patience;
        if_late_ = {Errc::peer_slow, "the older link of its identity took too long to go"};
        const auto number = co_await hub_.broker.link_up(std::move(link), orders_);
        if (!number) {
            note_end(Errc::hub_full, target.to_string() + ": limits.linked_devices is reached");
            co_return ConnackCode::busy;
        }
        number_ = *number;
        if_late_ = slow_registry;
        // Asked again: a revocation in between has found no link to drop.
        const auto known = co_await hub_.registry.find_both(policy, target);
        if (still_stands(known, checked.login)) co_return ConnackCode::accepted;
        note_end(Errc::credential_refused, target.to_string() + ": revoked while it logged in");
        co_return ConnackCode::refused;
    } catch (const Failure& failure) {
        hub_.log.error("a login could not be checked",
                       {{"device", target.to_string()}, {"peer", peer}, {"reason", explain(failure)}});
        note_end(Errc::internal, "the registry failed");
    }
    co_return ConnackCode::busy;
}

asio::awaitable<CredentialCheck> DeviceLink::check(std::int64_t unix_now) {
    std::optional<DeviceCertificate> certificate;
    if (shown_) certificate = hub_.authorities.get()->examine(*shown_, unix_now);
    co_return co_await check_device_login(hub_.registry, login_->target, login_->password, std::move(certificate),
                                          *hub_.names.get(), unix_now);
}

NewLink DeviceLink::new_link(const CredentialCheck& granted, const std::string& peer, std::int64_t unix_now) const {
    NewLink link{login_->target, granted.login, {}, {{}, peer, credential_life(granted, unix_now)}};
    if (const auto& announced = login_->announced) {
        link.announced = announced->features;
        if (announced->features.renewal) link.client.instance = announced->instance;
    }
    return link;
}

bool DeviceLink::still_stands(const PolicyAndIdentity& known, const Credential& login) const {
    return still_admits(known, login) && !Revocation(hub_.authorities.get()->ids()).covers(login_->target, login);
}

// The link.

// Idle, it only reads: what is put meanwhile is written at once, or interrupts that.
asio::awaitable<void> DeviceLink::run(Interruption& interruption) {
    const auto handling = orders_.deliver_to([this, &interruption](const LinkOrder& order) {
        try {
            const bool goes_on = handle(order);
            if (!goes_on || connection_.needs_writer()) interruption.interrupt();
        } catch (...) {
            interruption.interrupt(std::current_exception());
        }
    });
    const auto watch = [this, &interruption] {
        const auto next = watch_time();
        if (!next) interruption.interrupt();
        return next;
    };
    const auto timekeeper = std::make_shared<PollTimer>(hub_.clock, co_await asio::this_coro::executor, watch);
    timekeeper->look();
    while (!end_) co_await interruption.interruptible(transfer());
}

asio::awaitable<void> DeviceLink::transfer() {
    auto reading = connection_.read(*this);
    return connection_.needs_writer() ? first_of(std::move(reading), connection_.flush()) : std::move(reading);
}

bool DeviceLink::take(const mqtt::Packet& packet) {
    last_heard_ = hub_.clock.now();
    return perform(session_.received(packet));
}

void DeviceLink::ended() {
    note_end(Errc::leg_lost, "the device's connection ended without DISCONNECT");
}

// False when the link is over.
bool DeviceLink::perform(const SessionActions& actions) {
    for (const auto& action : actions) {
        if (const auto* send = std::get_if<SendPacket>(&action)) {
            if (!put(send->packet)) return false;
        } else if (std::holds_alternative<StartRequests>(action)) {
            hub_.broker.start_requests(number_);
        } else if (std::holds_alternative<StopRequests>(action)) {
            hub_.broker.stop_requests(number_);
        } else if (const auto* take = std::get_if<TakeAnswer>(&action)) {
            hub_.broker.take_answer(number_, take->answer);
        } else if (const auto* end = std::get_if<EndLink>(&action)) {
            note_end(end->fault, end->why);
            return false;
        }
    }
    return true;
}

bool DeviceLink::put(const mqtt::Packet& packet) {
    if (connection_.put(packet)) return true;
    note_end(Errc::peer_slow, "it does not read what it is sent");
    return false;
}

// False when the link is over.
bool DeviceLink::handle(const LinkOrder& order) {
    if (const auto* drop_it = std::get_if<DropLink>(&order)) {
        drop(*drop_it);
        return false;
    }
    return deliver(std::get<DeviceRequest>(order));
}

bool DeviceLink::deliver(const DeviceRequest& request) {
    const auto& target = login_->target;
    auto leg = sign_leg(hub_, target, request.stream_id, StreamRole::device, request.deadline);
    const iothub::StreamRequest encoded{request.name,
                                        request.request_id,
                                        std::move(leg.url),
                                        std::move(leg.token),
                                        request.features ? to_string(*request.features) : std::string(),
                                        request.policy};
    hub_.log.debug("stream request delivered", {{"device", target.to_string()},
                                                {"stream", loggable_stream_id(request.name)},
                                                {"request", request.request_id}});
    mqtt::Publish publish;
    publish.topic = iothub::request_topic(encoded);
    return put(publish);
}

void DeviceLink::tell_takeover(const std::string& by) {
    if (!tells_takeover()) return;
    mqtt::Publish publish;
    publish.topic = iothub::takeover_topic(host_of(by));
    put(publish);
}

void DeviceLink::drop(const DropLink& order) {
    switch (order.reason) {
        case DropLink::Reason::taken_over:
            // Answers that are here already count; the successor waits for this.
            connection_.take_in(*this, last_words_limit);
            tell_takeover(order.new_peer);
            return note_end(Errc::identity_taken_over, "the same identity connected again", order.new_peer);
        case DropLink::Reason::renewed:
            connection_.take_in(*this, last_words_limit);
            return note_end(std::nullopt, "renewed", order.new_peer);
        case DropLink::Reason::revoked:
            return note_end(Errc::credential_refused, order.why);
        case DropLink::Reason::stopping:
            return note_end(Errc::hub_stopping, "the hub is stopping");
    }
}

// When its time is up, as things stand; nullopt: it is, and the link is over.
std::optional<Clock::time_point> DeviceLink::watch_time() {
    const auto end = std::min(last_heard_ + session_.silence_limit(), must_renew_by_);
    if (hub_.clock.now() < end) return end;
    if (hub_.clock.now() < must_renew_by_)
        note_end(Errc::leg_lost, "nothing was heard for one and a half keep-alive times");
    else
        note_end(Errc::credential_refused,
                 "its token or certificate has expired, and it has not logged in with a new one");
    return std::nullopt;
}

}  // namespace device_streams::hub
