#include "hub/devices/device_endpoint.hpp"

#include "common/async/join.hpp"
#include "hub/devices/device_link.hpp"
#include "hub/streams/close_within.hpp"

#include <utility>

namespace device_streams::hub {

namespace {

// In a handler of what a link has thrown: that is its end.
void note_failure(DeviceLink& link) {
    try {
        throw;
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

/// One device from CONNECT to the end of its link. The broker hears of the end in every way out, the hub's included.
class LinkedDevice final : public Continuation {
 public:
    LinkedDevice(HubContext& hub, std::unique_ptr<ByteStream> stream, LinkOrigin from,
                 const asio::any_io_executor& strand)
        : hub_(hub),
          stream_(std::move(stream)),
          peer_(std::move(from.peer)),
          protocol_(from.protocol),
          link_(hub, *stream_, std::move(from.shown), strand) {}
    LinkedDevice(const LinkedDevice&) = delete;
    LinkedDevice& operator=(const LinkedDevice&) = delete;
    ~LinkedDevice() override { leave_broker(); }

    /// False: it was refused, and the stream has ended.
    asio::awaitable<bool> log_in(UnauthenticatedConnections::Slot slot);
    asio::awaitable<void> run(Interruption& interruption) override;

 private:
    asio::awaitable<void> try_login(bool& up) { up = co_await link_.log_in(peer_); }
    LinkParty party() const { return {device(), peer_, link_.login().api_version, protocol_, link_.claimed()}; }
    const iothub::Target& device() const { return link_.login().target; }
    Log log() const { return hub_.log.with({{"device", device().to_string()}, {"peer", peer_}}); }
    void leave_broker();
    void tell_up();
    void tell_down();
    void tell_refused();
    asio::awaitable<void> part();
    asio::awaitable<void> say_goodbye();
    asio::awaitable<void> close() {
        return close_within(*stream_, CloseReason::clean, hub_.limits.get()->relay.goodbye, hub_.clock);
    }

    HubContext& hub_;
    const std::unique_ptr<ByteStream> stream_;
    const std::string peer_;
    const LinkProtocol protocol_;
    DeviceLink link_;
    bool left_broker_ = false;
    Clock::time_point since_{};
};

void LinkedDevice::leave_broker() {
    if (!std::exchange(left_broker_, true) && link_.number() != 0) hub_.broker.link_down(link_.number());
}

asio::awaitable<bool> LinkedDevice::log_in(UnauthenticatedConnections::Slot slot) {
    bool up = false;
    try {
        const auto head_timeout = slot.patience(hub_.limits.get()->connections.head_timeout);
        co_await with_timeout(try_login(up), head_timeout, hub_.clock);
    } catch (...) {
        note_failure(link_);
        up = false;
    }
    if (up) {
        tell_up();
        co_return true;
    }
    leave_broker();
    if (link_.end().fault == Errc::hub_stopping) co_return false;
    tell_refused();
    co_await close();
    co_return false;
}

void LinkedDevice::tell_refused() {
    hub_.peer_faults.report(peer_, link_.end().fault.value_or(Errc::peer_garbage), link_.end().why);
    if (link_.named_identity()) hub_.resource_log.add_of_stranger(peer_, LinkUp{party(), link_fault(link_.end())});
}

void LinkedDevice::tell_up() {
    constexpr std::size_t shown = 128;  // of what the device says about itself
    const auto& login = link_.login();
    log().info("device link up",
               {{"client", login.client_type.substr(0, shown)}, {"api_version", login.api_version.substr(0, shown)}});
    link_.forget_client_type();
    hub_.resource_log.add_of_device(device(), LinkUp{party()});
    since_ = hub_.clock.now();
}

void LinkedDevice::tell_down() {
    const auto life = hub_.clock.now() - since_;
    log_end(log(), link_.end(), life);
    hub_.resource_log.add_of_device(device(), LinkDown{party(), life, link_fault(link_.end())});
}

// What it waits in here it waits in for as long as the device is idle: a hub has tens of thousands of them.
asio::awaitable<void> LinkedDevice::run(Interruption& interruption) {
    try {
        co_await link_.run(interruption);
    } catch (...) {
        note_failure(link_);
    }
    tell_down();
    leave_broker();  // before the goodbye, which may take its time
    co_await part();
}

asio::awaitable<void> LinkedDevice::part() {
    const auto& end = link_.end();
    if (end.fault == Errc::identity_taken_over && link_.tells_takeover())
        co_await say_goodbye();
    else if (end.fault)
        stream_->abort(close_reason_for(*end.fault));
    else if (!end.new_peer.empty())
        stream_->abort(CloseReason::cancelled);
    else
        co_await close();
}

// For a device that is told what comes before the end; one that is gone costs no more than a goodbye may take.
asio::awaitable<void> LinkedDevice::say_goodbye() {
    try {
        co_await with_timeout(link_.flush(), hub_.limits.get()->relay.goodbye, hub_.clock);
    } catch (const std::system_error&) {
        co_return stream_->abort(CloseReason::cancelled);
    }
    co_await close();
}

}  // namespace

asio::awaitable<std::unique_ptr<Continuation>> log_device_in(HubContext& hub, std::unique_ptr<ByteStream> stream,
                                                             LinkOrigin from, UnauthenticatedConnections::Slot slot) {
    auto device =
        std::make_unique<LinkedDevice>(hub, std::move(stream), std::move(from), co_await asio::this_coro::executor);
    const bool up = co_await device->log_in(std::move(slot));
    if (!up) device.reset();
    co_return device;
}

}  // namespace device_streams::hub
