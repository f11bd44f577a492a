#include "hub/devices/device_endpoint.hpp"

#include "common/async/join.hpp"
#include "hub/devices/device_link.hpp"
#include "hub/streams/close_within.hpp"

namespace device_streams::hub {

namespace {

// Runs one phase of a link; whatever ends it becomes its end.
asio::awaitable<void> guarded(DeviceLink& link, asio::awaitable<void> phase) {
    try {
        co_await std::move(phase);
    } catch (const mqtt::AmqpInstead& fault) {
        link.note_end(Errc::transport_not_served, fault.what());
    } catch (const mqtt::ProtocolError& fault) {
        link.note_end(Errc::peer_garbage, fault.what());
    } catch (const StreamError& fault) {
        const bool broke_websocket = fault.close_reason() == CloseReason::protocol_violation;
        link.note_end(broke_websocket ? Errc::peer_garbage : Errc::leg_lost, fault.what());
    } catch (const std::system_error& fault) {
        if (fault.code() == asio::error::timed_out)
            link.note_end(link.if_late().fault, link.if_late().why);
        else if (fault.code() == asio::error::operation_aborted)
            link.note_end(Errc::hub_stopping, "the hub is stopping");
        else
            link.note_end(Errc::internal, fault.what());
    }
}

asio::awaitable<void> log_in(DeviceLink& link, const std::string& peer, bool& up) {
    up = co_await link.log_in(peer);
}

// A reconnecting device is no news for a warning.
LogLevel level_of(const EndLink& end) {
    const bool fault = end.fault && *end.fault != Errc::leg_lost && *end.fault != Errc::hub_stopping;
    return fault ? LogLevel::warning : LogLevel::info;
}

void log_end(const Log& log, const EndLink& end, Clock::duration life) {
    const auto lived = whole_milliseconds(life);
    const auto where = end.new_peer.empty() ? log : log.with({{"new_peer", end.new_peer}});
    if (!end.fault) {
        where.info("device link down", {{"reason", end.why}, {"duration_ms", lived}});
        return;
    }
    const auto& info = device_streams::describe(*end.fault);
    where.write(level_of(end), "device link down",
                {{"code", info.id}, {"reason", end.why}, {"duration_ms", lived}, {"next", info.advice}});
}

LinkParty party_of(const DeviceLink& link, const LinkOrigin& from) {
    const auto& login = link.login();
    return {login.target, from.peer, login.api_version, from.protocol, link.claimed()};
}

std::optional<ResultType> link_fault(const EndLink& end) {
    if (!end.fault || *end.fault == Errc::hub_stopping) return std::nullopt;
    switch (*end.fault) {
        case Errc::identity_taken_over:
            return result_types::taken_over;
        case Errc::credential_refused:
            return result_types::unauthorized;
        case Errc::hub_full:
            return result_types::throttled;
        case Errc::internal:
        case Errc::state_unusable:
            return result_types::server_error;
        default:
            return result_types::closed_by_device;
    }
}

// What an MQTT client over WebSocket is told.
CloseReason close_reason_for(Errc fault) {
    switch (fault) {
        case Errc::hub_stopping:
            return CloseReason::stopping;
        case Errc::leg_lost:
            return CloseReason::lost;
        case Errc::peer_garbage:
            return CloseReason::protocol_violation;
        default:
            return CloseReason::cancelled;
    }
}

// Tells the broker in every way out, the hub's end included.
class Registered {
 public:
    Registered(StreamBroker& broker, const DeviceLink& link) : broker_(broker), link_(link) {}
    Registered(const Registered&) = delete;
    Registered& operator=(const Registered&) = delete;
    ~Registered() { end(); }
    void end() {
        if (!ended_ && link_.number() != 0) broker_.link_down(link_.number());
        ended_ = true;
    }

 private:
    StreamBroker& broker_;
    const DeviceLink& link_;
    bool ended_ = false;
};

// For a device that is told what comes before the end; one that is gone costs no more than a goodbye may take.
asio::awaitable<void> say_goodbye(DeviceLink& link, ByteStream& stream, HubContext& hub) {
    const auto limit = hub.limits.get()->relay.goodbye;
    try {
        co_await with_timeout(link.flush(), limit, hub.clock);
    } catch (const std::system_error&) {
        co_return stream.abort(CloseReason::cancelled);
    }
    co_await close_within(stream, CloseReason::clean, limit, hub.clock);
}

}  // namespace

asio::awaitable<void> serve_device(HubContext& hub, std::unique_ptr<ByteStream> stream, LinkOrigin from,
                                   UnauthenticatedConnections::Slot slot) {
    DeviceLink link(hub, *stream, std::move(from.shown), co_await asio::this_coro::executor);
    Registered registered(hub.broker, link);
    std::optional<UnauthenticatedConnections::Slot> not_logged_in(std::move(slot));
    bool up = false;
    const auto head_timeout = not_logged_in->patience(hub.limits.get()->connections.head_timeout);
    auto login = with_timeout(log_in(link, from.peer, up), head_timeout, hub.clock);
    co_await guarded(link, std::move(login));
    if (!up) {
        registered.end();
        if (link.end().fault == Errc::hub_stopping) co_return;
        hub.peer_faults.report(from.peer, link.end().fault.value_or(Errc::peer_garbage), link.end().why);
        if (link.named_identity())
            hub.resource_log.add_of_stranger(from.peer, LinkUp{party_of(link, from), link_fault(link.end())});
        co_await close_within(*stream, CloseReason::clean, hub.limits.get()->relay.goodbye, hub.clock);
        co_return;
    }
    not_logged_in.reset();
    const auto log = hub.log.with({{"device", link.login().target.to_string()}, {"peer", from.peer}});
    constexpr std::size_t shown = 128;  // of what the device says about itself
    log.info("device link up", {{"client", link.login().client_type.substr(0, shown)},
                                {"api_version", link.login().api_version.substr(0, shown)}});
    const auto& device = link.login().target;
    hub.resource_log.add_of_device(device, LinkUp{party_of(link, from)});
    const auto since = hub.clock.now();
    co_await guarded(link, link.run());
    const auto life = hub.clock.now() - since;
    log_end(log, link.end(), life);
    hub.resource_log.add_of_device(device, LinkDown{party_of(link, from), life, link_fault(link.end())});
    registered.end();  // before the goodbye, which may take its time
    const auto& end = link.end();
    if (end.fault == Errc::identity_taken_over && link.tells_takeover())
        co_await say_goodbye(link, *stream, hub);
    else if (end.fault)
        stream->abort(close_reason_for(*end.fault));
    else if (!end.new_peer.empty())
        stream->abort(CloseReason::cancelled);
    else
        co_await close_within(*stream, CloseReason::clean, hub.limits.get()->relay.goodbye, hub.clock);
}

}  // namespace device_streams::hub
