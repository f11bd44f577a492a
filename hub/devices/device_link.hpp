#pragma once

#include "common/net/byte_stream.hpp"
#include "hub/core/hub_context.hpp"
#include "hub/devices/device_session.hpp"

#include <asio/steady_timer.hpp>

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace device_streams::hub {

/// Packets on their way to one device, written one after another. A device that does not read is found out by the size.
class Outbox {
 public:
    static constexpr std::size_t limit = 256 * 1024;  ///< bytes

    explicit Outbox(const asio::any_io_executor& strand) : filled_(strand) {}
    /// False when the device has read too little for too long.
    bool put(const mqtt::Packet& packet);
    /// Writes what is put until it is cancelled.
    asio::awaitable<void> write_to(ByteStream& stream);

 private:
    std::list<std::vector<std::byte>> packets_;  // takes no memory while it is empty, as a deque would
    std::size_t bytes_ = 0;
    asio::steady_timer filled_;
};

/// Drives a DeviceSession over a stream: the part of a link behind the login.
class DeviceLink {
 public:
    /// `shown`: by the client of the TLS connection below.
    DeviceLink(HubContext& hub, ByteStream& stream, std::optional<ClientCertificate> shown,
               const asio::any_io_executor& strand);

    /// Waits for CONNECT and answers it. False: it was refused or broke off; end() says why.
    asio::awaitable<bool> log_in(const std::string& peer);
    /// Returns when the link is over; end() says why.
    asio::awaitable<void> run();

    /// True once its CONNECT was read: login() is there, without the password.
    bool named_identity() const { return login_.has_value(); }
    const Login& login() const { return *login_; }
    /// What its CONNECT came with, whether or not that was enough.
    Credential::Kind claimed() const { return claimed_; }
    const EndLink& end() const { return *end_; }
    /// The end of a login that takes too long: it names who is waited for.
    const EndLink& if_late() const { return if_late_; }
    /// Keeps the first reason.
    void note_end(std::optional<Errc> fault, std::string why, std::string new_peer = {});
    LinkNumber number() const { return number_; }

 private:
    asio::awaitable<std::optional<mqtt::Packet>> next_packet();
    Credential::Kind claimed_by(const Secret& password) const;
    asio::awaitable<LoginCode> decide(const std::string& peer);
    asio::awaitable<CredentialCheck> check(std::int64_t unix_now);
    NewLink new_link(const CredentialCheck& granted, const std::string& peer, std::int64_t unix_now) const;
    bool still_stands(const std::optional<Identity>& identity, const Credential& login) const;
    asio::awaitable<void> answer_now(const SessionActions& actions);
    asio::awaitable<void> read();
    bool handle(const LinkOrder& order);
    bool deliver(const DeviceRequest& request);
    std::optional<Clock::time_point> watch_time();
    bool take_in(std::size_t most);
    bool take_packets();
    bool perform(const SessionActions& actions);
    void drop(const DropLink& order);

    HubContext& hub_;
    ByteStream& stream_;
    DeviceSession session_;
    mqtt::Decoder decoder_;
    Outbox outbox_;
    Channel<LinkOrder> orders_;
    std::optional<ClientCertificate> shown_;
    std::optional<Login> login_;
    Credential::Kind claimed_ = Credential::Kind::device_key;
    LinkNumber number_ = 0;
    Clock::time_point last_heard_;
    Clock::time_point must_renew_by_ = Clock::time_point::max();
    EndLink if_late_{Errc::peer_slow, "no CONNECT came in time"};
    std::optional<EndLink> end_;
};

}  // namespace device_streams::hub
