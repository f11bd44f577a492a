#include "common/device_client/link_life.hpp"

#include "common/async/join.hpp"
#include "common/base/error.hpp"

#include <array>

namespace device_streams::device {

using State = ClientSession::State;

namespace {
// A hub that takes no answers is found dead by its silence on pings; until then the answers are worth no more memory.
constexpr std::size_t outgoing_limit = 256 * 1024;
}  // namespace

LinkLife::LinkLife(const asio::any_io_executor& strand, Clock& clock, Log log, Handlers handlers)
    : clock_(clock),
      log_(std::move(log)),
      handlers_(std::move(handlers)),
      outgoing_grew_(strand),
      deadline_moved_(strand),
      gave_up_(strand) {
}

asio::awaitable<void> LinkLife::run(LinkOpener open, std::function<mqtt::Connect()> login, SessionLimits limits) {
    auto life = live(std::move(open), std::move(login), limits);
    co_await first_of(std::move(life), gave_up_.wait());
}

asio::awaitable<void> LinkLife::live(LinkOpener open, std::function<mqtt::Connect()> login, SessionLimits limits) {
    stream_ = co_await open();
    session_ = std::make_unique<ClientSession>(login(), limits);
    perform(session_->start(clock_.now()));
    try {
        auto transfer = both(read(), write());
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

asio::awaitable<void> LinkLife::read() {
    mqtt::Decoder decoder;
    std::array<std::byte, 4096> chunk;
    while (const std::size_t size = co_await stream_->read_some(chunk)) {
        session_->heard(clock_.now());
        decoder.feed(std::span(chunk).first(size));
        while (const auto packet = decoder.next()) take(*packet);
    }
    if (!leaving()) throw Failure(Errc::hub_link_lost, "the hub closed it");
}

void LinkLife::take(const mqtt::Packet& packet) {
    const auto before = session_->state();
    perform(session_->receive(packet, clock_.now()));
    if (session_->state() == before) return;
    deadline_moved_.wake();
    if (up()) handlers_.on_up();
}

asio::awaitable<void> LinkLife::write() {
    for (;;) {
        while (outgoing_.empty()) {
            if (leaving()) co_return;
            co_await outgoing_grew_.wait();
        }
        const auto bytes = std::exchange(outgoing_, {});
        co_await write_copy(*stream_, bytes);
    }
}

// Does not return: the end of the link is found by read and write, or thrown by tick.
asio::awaitable<void> LinkLife::watch() {
    for (;;) {
        perform(session_->tick(clock_.now()));
        co_await first_of(clock_.sleep_until(session_->deadline()), deadline_moved_.wait());
    }
}

void LinkLife::perform(ClientSession::Actions actions) {
    for (const auto& packet : actions.send) {
        const auto bytes = mqtt::encode(packet);
        outgoing_.insert(outgoing_.end(), bytes.begin(), bytes.end());
    }
    if (!actions.send.empty()) outgoing_grew_.wake();
    for (const auto& complaint : actions.complaints) log_.warning(complaint);
    for (auto& request : actions.requests) handlers_.on_request(std::move(request));
}

void LinkLife::answer(const iothub::StreamAnswer& answer) {
    if (outgoing_.size() < outgoing_limit) perform(session_->answer(answer, clock_.now()));
}

void LinkLife::leave() {
    if (!session_ || session_->state() == State::connecting) return gave_up_.wake();
    perform(session_->leave(clock_.now()));
    deadline_moved_.wake();
}

}  // namespace device_streams::device
