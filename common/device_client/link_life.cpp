#include "common/device_client/link_life.hpp"

#include "common/async/join.hpp"
#include "common/base/error.hpp"

namespace device_streams::device {

using State = ClientSession::State;

namespace {
constexpr std::size_t packet_limit = 256 * 1024;
}  // namespace

LinkLife::LinkLife(const asio::any_io_executor& strand, Clock& clock, Log log, Handlers handlers)
    : strand_(strand),
      clock_(clock),
      log_(std::move(log)),
      handlers_(std::move(handlers)),
      deadline_moved_(strand),
      gave_up_(strand) {
}

asio::awaitable<void> LinkLife::run(LinkOpener open, std::function<mqtt::Connect()> login, SessionLimits limits) {
    auto life = live(std::move(open), std::move(login), limits);
    co_await first_of(std::move(life), gave_up_.wait());
}

asio::awaitable<void> LinkLife::live(LinkOpener open, std::function<mqtt::Connect()> login, SessionLimits limits) {
    stream_ = co_await open();
    connection_.emplace(*stream_, strand_, packet_limit);
    session_ = std::make_unique<ClientSession>(login(), limits);
    perform(session_->start(clock_.now()));
    try {
        auto transfer = first_of(connection_->read(*this), connection_->write());
        co_await first_of(std::move(transfer), watch());
        co_await with_timeout(stream_->close(CloseReason::clean), limits.goodbye, clock_);
    } catch (const StreamError& failure) {
        stream_->abort(CloseReason::lost);
        const bool comes_back = failure.close_reason() == CloseReason::stopping;
        throw Failure(comes_back ? Errc::hub_stopping : Errc::hub_link_lost, failure.what());
    } catch (const Failure&) {
        stream_->abort(CloseReason::lost);
        throw;
    } catch (const mqtt::ProtocolError& failure) {
        throw Failure(Errc::hub_protocol, failure.what());
    }
}

void LinkLife::heard() {
    session_->heard(clock_.now());
}

bool LinkLife::take(const mqtt::Packet& packet) {
    const auto before = session_->state();
    perform(session_->receive(packet, clock_.now()));
    if (session_->state() == before) return true;
    deadline_moved_.wake();
    if (up()) handlers_.on_up();
    return true;
}

void LinkLife::ended() {
    if (!leaving()) throw Failure(Errc::hub_link_lost, "the hub closed it");
}

// Does not return: the end of the link is found by the connection, or thrown by tick.
asio::awaitable<void> LinkLife::watch() {
    for (;;) {
        perform(session_->tick(clock_.now()));
        co_await first_of(clock_.sleep_until(session_->deadline()), deadline_moved_.wait());
    }
}

// A hub that takes nothing is found dead by its silence on pings; until then what it does not take is worth no more
// memory than the connection gives it.
void LinkLife::perform(ClientSession::Actions actions) {
    for (const auto& packet : actions.send) static_cast<void>(connection_->put(packet));
    for (const auto& warning : actions.warnings) log_.warning(warning);
    for (auto& request : actions.requests) handlers_.on_request(std::move(request));
}

void LinkLife::answer(const iothub::StreamAnswer& answer) {
    perform(session_->answer(answer, clock_.now()));
}

void LinkLife::leave() {
    if (!session_ || session_->state() == State::connecting) return gave_up_.wake();
    perform(session_->leave(clock_.now()));
    deadline_moved_.wake();
}

}  // namespace device_streams::device
