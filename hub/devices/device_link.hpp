#pragma once

#include "common/async/interruption.hpp"
#include "common/mqtt/connection.hpp"
#include "hub/core/hub_context.hpp"
#include "hub/devices/device_session.hpp"

#include <optional>
#include <string>

namespace device_streams::hub {

/// Drives a DeviceSession over a stream: the part of a link behind the login.
class DeviceLink : private mqtt::Receiver {
 public:
    /// `shown`: by the client of the TLS connection below.
    DeviceLink(HubContext& hub, ByteStream& stream, std::optional<ClientCertificate> shown,
               const asio::any_io_executor& strand);

    /// Waits for CONNECT and answers it. False: it was refused or broke off; end() says why.
    asio::awaitable<bool> log_in(const std::string& peer);
    /// Returns when the link is over; end() says why. `interruption` is that of the coroutine.
    asio::awaitable<void> run(Interruption& interruption);

    /// True once its CONNECT was read: login() is there, without the password.
    bool named_identity() const { return login_.has_value(); }
    const Login& login() const { return *login_; }
    /// Once it has been logged: an idle link does without it.
    void forget_client_type() { std::string().swap(login_->client_type); }
    /// What its CONNECT came with, whether or not that was enough.
    Credential::Kind claimed() const { return claimed_; }
    const EndLink& end() const { return *end_; }
    /// The end of a login that takes too long: it names what is waited for.
    struct Late {
        Errc fault;
        const char* why;
    };
    const Late& if_late() const { return if_late_; }
    /// Keeps the first reason.
    void note_end(std::optional<Errc> fault, std::string why, std::string new_peer = {});
    LinkNumber number() const { return number_; }
    /// Writes what waits to be written, as the last words to a device that was taken over. Throws StreamError.
    asio::awaitable<void> flush() { return connection_.flush(); }
    /// Whether the device is told that it was taken over.
    bool tells_takeover() const { return login_->announced && login_->announced->features.takeover; }

 private:
    Credential::Kind claimed_by(const Secret& password) const;
    asio::awaitable<ConnackCode> decide(const std::string& peer);
    asio::awaitable<CredentialCheck> check(std::int64_t unix_now);
    NewLink new_link(const CredentialCheck& granted, const std::string& peer, std::int64_t unix_now) const;
    bool still_stands(const PolicyAndIdentity& known, const Credential& login) const;
    bool take(const mqtt::Packet& packet) override;
    void ended() override;
    bool perform(const SessionActions& actions);
    bool put(const mqtt::Packet& packet);
    bool handle(const LinkOrder& order);
    bool deliver(const DeviceRequest& request);
    asio::awaitable<void> transfer();
    std::optional<Clock::time_point> watch_time();
    void drop(const DropLink& order);
    void tell_takeover(const std::string& by);

    HubContext& hub_;
    DeviceSession session_;
    mqtt::Connection connection_;
    Channel<LinkOrder> orders_;
    std::optional<ClientCertificate> shown_;
    std::optional<Login> login_;
    Credential::Kind claimed_ = Credential::Kind::device_key;
    LinkNumber number_ = 0;
    Clock::time_point last_heard_;
    Clock::time_point must_renew_by_ = Clock::time_point::max();
    Late if_late_{Errc::peer_slow, "no CONNECT came in time"};
    std::optional<EndLink> end_;
};

}  // namespace device_streams::hub
