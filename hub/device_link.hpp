#pragma once

#include "common/net/byte_stream.hpp"
#include "hub/device_session.hpp"
#include "hub/hub_context.hpp"

#include <asio/steady_timer.hpp>

#include <deque>
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
    std::deque<std::vector<std::byte>> packets_;
    std::size_t bytes_ = 0;
    asio::steady_timer filled_;
};

/// Drives a DeviceSession over a stream: the part of a link behind the login.
class DeviceLink {
 public:
    DeviceLink(HubContext& hub, ByteStream& stream, const asio::any_io_executor& strand);

    /// Waits for CONNECT and answers it. False: it was refused or broke off; end() says why.
    asio::awaitable<bool> log_in(const std::string& peer);
    /// Returns when the link is over; end() says why.
    asio::awaitable<void> run();

    /// True once its CONNECT was read: login() is there, without the password.
    bool named_identity() const { return login_.has_value(); }
    const Login& login() const { return *login_; }
    /// Its token named a policy.
    bool by_policy() const { return by_policy_; }
    const EndLink& end() const { return *end_; }
    /// The end of a login that takes too long: it names who is waited for.
    const EndLink& if_late() const { return if_late_; }
    /// Keeps the first reason.
    void note_end(std::optional<Errc> fault, std::string why);
    LinkNumber number() const { return number_; }

 private:
    asio::awaitable<std::optional<mqtt::Packet>> next_packet();
    asio::awaitable<LoginCode> decide(const std::string& peer);
    asio::awaitable<void> answer_now(const SessionActions& actions);
    asio::awaitable<void> read();
    asio::awaitable<void> obey();
    asio::awaitable<void> watch_time();
    bool take_in(std::size_t most);
    bool take_packets();
    bool perform(const SessionActions& actions);
    void drop(DropLink::Reason reason);

    HubContext& hub_;
    ByteStream& stream_;
    DeviceSession session_;
    mqtt::Decoder decoder_;
    Outbox outbox_;
    Mailbox<LinkOrder> orders_;
    std::optional<Login> login_;
    bool by_policy_ = false;
    LinkNumber number_ = 0;
    Clock::time_point last_heard_;
    Clock::time_point must_renew_by_ = Clock::time_point::max();
    EndLink if_late_{Errc::peer_slow, "no CONNECT came in time"};
    std::optional<EndLink> end_;
};

}  // namespace device_streams::hub
