#include "hub/http/arrival.hpp"

#include "common/async/join.hpp"
#include "common/net/plain_stream.hpp"
#include "common/net/proxy_protocol.hpp"
#include "common/tls/tls_stream.hpp"

#include <array>

namespace device_streams::hub {

namespace {

// A connection on its way in.
class IncomingConnection {
 public:
    IncomingConnection(HubContext& hub, Socket socket, SendAway send_away, Security security)
        : hub_(hub),
          socket_(std::move(socket)),
          send_away_(std::move(send_away)),
          security_(security),
          peer_(socket_->peer()) {}

    asio::awaitable<std::optional<Arrival>> arrive() {
        slot_ = take_slot(hub_, peer_, send_away_);
        if (!slot_) co_return std::nullopt;
        const auto limits = hub_.limits.get();
        socket_->give_up_after(limits->liveness.dead_after);
        try {
            auto timed = with_timeout(prepare(), slot_->patience(limits->connections.tls_timeout), hub_.clock);
            co_await first_of(std::move(timed), hub_.stopping.until_announced());
            if (hub_.stopping.announced() || !transport_) co_return std::nullopt;
            co_return Arrival{std::move(transport_), std::move(peer_), std::move(*slot_), std::move(send_away_)};
        } catch (const Failure& failure) {
            report(failure.errc(), failure.detail());
        } catch (const StreamError& lost) {
            report(security_ == Security::tls ? Errc::peer_tls_failed : Errc::peer_garbage, lost.what());
        } catch (const std::system_error& failure) {
            if (failure.code() != asio::error::timed_out) throw;
            if (has_spoken_)
                report(Errc::peer_slow, security_ == Security::tls ? "TLS was not up in time"
                                                                   : "its PROXY header was not complete in time");
        }
        co_return std::nullopt;
    }

 private:
    // TLS takes memory from the first word on; a client that says nothing gets none.
    asio::awaitable<void> prepare() {
        // One that was reset before it was accepted has no address any more.
        if (peer_ == unknown_peer) co_return;
        const bool is_probe = co_await leaves_without_a_word();
        if (is_probe) co_return;
        const bool expected = co_await read_proxy_header();
        if (!expected) co_return;
        if (security_ == Security::plain) {
            transport_ = std::make_unique<PlainStream>(take_socket());
            co_return;
        }
        auto secured = std::make_unique<TlsStream>(take_socket(), *hub_.tls.get());
        if (asks_for_certificates()) secured->request_client_certificate();
        co_await secured->handshake();
        if (hub_.log.enabled(LogLevel::debug))
            hub_.log.debug("TLS is up", {{"peer", peer_}, {"tls", secured->description()}});
        slot_->advance();
        transport_ = std::move(secured);
    }

    // Chains cost memory and time before anybody has logged in.
    bool asks_for_certificates() const {
        return hub_.registry.has_certificate_users() || !hub_.authorities.get()->ids().empty();
    }

    // False: there are too many of its client's connections, or a balancer has probed the hub with a header alone.
    asio::awaitable<bool> read_proxy_header() {
        if (!covers(hub_.limits.get()->connections.trusted_proxies, peer_)) co_return true;
        const auto header = co_await proxy_protocol::read_header(*socket_, hub_.clock);
        if (!header) co_return true;
        if (!header->client.empty() && !admit(header->client)) co_return false;
        const bool is_probe = co_await leaves_without_a_word();
        co_return !is_probe;
    }

    asio::awaitable<bool> leaves_without_a_word() {
        std::array<std::byte, 1> room;
        has_spoken_ = false;
        try {
            for (;;) {
                co_await socket_->wait_readable();
                if (const auto seen = socket_->try_peek(room)) {
                    has_spoken_ = *seen != 0;
                    if (has_spoken_) slot_->advance();
                    co_return !has_spoken_;
                }
            }
        } catch (const StreamError&) {
            co_return true;
        }
    }

    bool admit(const std::string& client) {
        peer_ = client;
        slot_.reset();
        slot_ = take_slot(hub_, peer_, send_away_);
        return slot_.has_value();
    }

    std::unique_ptr<Socket> take_socket() {
        auto taken = std::make_unique<Socket>(std::move(*socket_));
        socket_.reset();
        return taken;
    }

    void report(Errc fault, const std::string& why) const { hub_.peer_faults.report(peer_, fault, why); }

    HubContext& hub_;
    std::optional<Socket> socket_;
    SendAway send_away_;
    const Security security_;
    std::string peer_;
    std::optional<UnauthenticatedConnections::Slot> slot_;
    std::unique_ptr<Transport> transport_;
    bool has_spoken_ = false;  // behind the PROXY header, once that is read
};

}  // namespace

asio::awaitable<std::optional<Arrival>> let_in(HubContext& hub, Socket socket, SendAway send_away, Security security) {
    IncomingConnection incoming(hub, std::move(socket), std::move(send_away), security);
    co_return co_await incoming.arrive();
}

std::optional<UnauthenticatedConnections::Slot> take_slot(HubContext& hub, const std::string& peer,
                                                          SendAway send_away) {
    auto entered = hub.unauthenticated.enter(peer, hub.limits.get()->connections, std::move(send_away));
    const auto& turned_away = entered.slot ? entered.sent_away : peer;
    if (!turned_away.empty())
        hub.peer_faults.report(turned_away, Errc::peer_oversize,
                               "too many connections without login, of its address or network or in all");
    return std::move(entered.slot);
}

}  // namespace device_streams::hub
