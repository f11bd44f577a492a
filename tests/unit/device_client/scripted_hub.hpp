#pragma once

#include "common/base/error.hpp"
#include "common/device_client/hub_link.hpp"
#include "common/mqtt/codec.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_stream.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace device_streams::device::test {

using namespace device_streams::test;

/// The hub's end of one link in memory; speaks only when the test says so.
class ScriptedLink {
 public:
    explicit ScriptedLink(std::unique_ptr<MemoryStream> stream) : stream_(std::move(stream)) {}

    void send(const mqtt::Packet& packet) { stream_->try_write(mqtt::encode(packet)); }
    /// The next packet from the device; nullopt when there is none yet.
    std::optional<mqtt::Packet> next() {
        std::array<std::byte, 4096> chunk;
        while (const auto size = stream_->try_read(chunk)) {
            if (*size == 0) break;
            decoder_.feed(std::span(chunk).first(*size));
        }
        return decoder_.next();
    }
    template <typename Packet>
    bool next_is() {
        const auto packet = next();
        return packet && std::holds_alternative<Packet>(*packet);
    }
    /// The topic of the next packet, which must be a PUBLISH.
    std::string next_topic() {
        const auto packet = next();
        const auto* message = packet ? std::get_if<mqtt::Publish>(&*packet) : nullptr;
        return message ? message->topic : "(no publish)";
    }
    void fail(CloseReason close_reason) {
        stream_->out().broken = true;
        stream_->out().broken_as = close_reason;
        stream_->out().notify();
    }
    void close() {
        stream_->out().finished = true;
        stream_->out().notify();
    }

 private:
    std::unique_ptr<MemoryStream> stream_;
    mqtt::Decoder decoder_;
};

/// A HubLink whose transport ends in ScriptedLinks, with time standing still.
class HubLinkFixture {
 public:
    /// `random` is what the backoff draws.
    explicit HubLinkFixture(double random = 0.5, LinkSettings link_settings = default_settings())
        : settings(std::move(link_settings)),
          link(
              io.get_executor(), clock, Log(log), settings,
              [this](iothub::StreamRequest request) { requests.push_back(std::move(request)); },
              [this](LinkSettings with, Clock&, const Log&) { return open(std::move(with)); },
              [random] { return random; }) {}
    ~HubLinkFixture() {
        link.cancel();
        settle();
    }

    static LinkSettings default_settings() {
        LinkSettings made;
        made.hub.host_name = made.identity.host_name = "hub1.iot.example";
        made.identity.device_id = "dev-01";
        made.identity.key = Secret("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
        return made;
    }
    void settle() { poll(io); }
    void pass(Clock::duration time) {
        clock.advance(time);
        settle();
    }
    /// Answers CONNECT and SUBSCRIBE on a link.
    void let_in(ScriptedLink& hub_end) {
        settle();
        hub_end.next();
        hub_end.send(mqtt::ConnAck{});
        settle();
        hub_end.next();
        hub_end.send(mqtt::SubAck{1, {0, 0}});
        settle();
    }
    void start_and_let_in() {
        link.start();
        settle();
        let_in(*links.at(0));
    }
    /// The first link is lost, and the device lets itself in again.
    void reconnect() {
        links.at(0)->close();
        settle();
        pass(std::chrono::seconds(1));
        let_in(*links.at(1));
    }
    /// Whether nothing of it runs any more.
    bool is_done() {
        Running<void> waiting(io, link.until_done());
        settle();
        const bool done = waiting.done();
        waiting.cancel();
        settle();
        return done;
    }
    static mqtt::Publish request(const std::string& rid) {
        mqtt::Publish message;
        message.topic =
            "$iothub/streams/POST/ssh.1a2b3c4d/?$rid=" + rid + "&$url=wss%3A%2F%2Fhub.example%3A443%2Fx&$auth=t";
        return message;
    }

    asio::io_context io{1};
    ManualClock clock;
    std::shared_ptr<CapturedLog> log = std::make_shared<CapturedLog>();
    std::vector<std::unique_ptr<ScriptedLink>> links;  ///< in the order they were opened
    std::vector<iothub::StreamRequest> requests;
    unsigned tries = 0;                             ///< to reach the hub
    std::optional<Errc> refusal;                    ///< it is not reached
    std::optional<std::chrono::seconds> hub_ahead;  ///< as its Date says
    bool never_opens = false;
    LinkSettings settings;
    HubLink link;

 private:
    asio::awaitable<OpenedLink> open(LinkSettings) {
        ++tries;
        if (never_opens) co_await clock.sleep_for(std::chrono::hours(1000));
        if (refusal) throw Failure(*refusal, "connecting to hub1.iot.example:443");
        auto [device_end, hub_end] = make_memory_streams(io.get_executor());
        links.push_back(std::make_unique<ScriptedLink>(std::move(hub_end)));
        OpenedLink opened{.stream = std::move(device_end), .hub_ahead = hub_ahead};
        co_return opened;
    }
};

}  // namespace device_streams::device::test
