#pragma once

#include "common/async/task_set.hpp"
#include "common/base/log.hpp"
#include "hub/audit/resource_record.hpp"
#include "hub/streams/leg_joiner.hpp"
#include "hub/streams/stream_broker.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

namespace device_streams::hub {

/// The broker of a hub that is one process: presence and pairing on one control strand, reached by message only.
class LocalBroker final : public StreamBroker, public std::enable_shared_from_this<LocalBroker> {
 public:
    struct Parts {
        Clock& clock;
        Log log;
        std::function<void(StreamRef, std::unique_ptr<ByteStream> device, std::unique_ptr<ByteStream> service)> bridge;
        std::function<void(std::unique_ptr<ByteStream>, CloseReason)> close_alone;
        std::function<void(const Revocation&)> cut;                         ///< the streams that run
        std::function<void(StreamEnd)> given_up = [](const StreamEnd&) {};  ///< granted, but its legs never met
    };
    LocalBroker(Strand control, Parts parts, PairingLimits requests, PresenceLimits links);

    /// Runs on the control strand until it is cancelled: ends what is late.
    asio::awaitable<void> watch_deadlines();
    /// For new requests, and for links that come or go from now on.
    void set_limits(PairingLimits requests, PresenceLimits links);
    /// Drops all links, fails what is pending, and from now on whatever comes.
    void stop();
    /// Returns when all messages that were sent before have been heard.
    asio::awaitable<void> flush();
    const Strand& control() const { return control_; }

    asio::awaitable<std::optional<LinkNumber>> link_up(NewLink link, Channel<LinkOrder> orders) override;
    void start_requests(LinkNumber link) override;
    void stop_requests(LinkNumber link) override;
    void take_answer(LinkNumber link, iothub::StreamAnswer answer) override;
    void link_down(LinkNumber link) override;
    asio::awaitable<RequestResult> request(OpenRequest open_request) override;
    void cancel(RequestNumber request) override;
    asio::awaitable<Admission> admit(LegTokens::Checked leg_grant, Channel<LegOrder> orders) override;
    asio::awaitable<bool> leg_leaves(const std::string& stream_id, StreamRole role) override;
    void leg_left(const std::string& stream_id, StreamRole role) override;
    void hand_over(const std::string& stream_id, StreamRole role, std::unique_ptr<ByteStream> leg) override;
    void revoke(const Revocation& revoked) override;
    std::uint64_t revocations() const override { return revocations_; }
    asio::awaitable<std::vector<iothub::Target>> online() override;

 private:
    struct Nothing {};
    struct Link {
        Channel<LinkOrder> orders;
        std::vector<Channel<Nothing>> waiting_for_end;
    };
    using LegKey = std::pair<std::string, StreamRole>;
    struct Entered {
        LinkNumber link;
        bool must_wait;
    };

    template <typename Function>
    void on_control(Function function);
    std::optional<Entered> enter(const NewLink& link, const Channel<LinkOrder>& orders,
                                 const Channel<Nothing>& predecessor_gone);
    void perform(PairingActions actions);
    void perform(Deliver& action);
    void perform(Reply& action);
    void perform(const EndLeg& action);
    void perform(const Join& action);
    void perform(const Abandon& action);
    void arm();
    void settle(LegJoiner::Joined joined);
    void part(LegJoiner::Joined joined);

    Strand control_;
    Parts parts_;
    std::atomic<std::uint64_t> revocations_ = 0;
    std::atomic<RequestNumber> last_request_ = 0;
    // On the control strand only.
    Presence presence_;
    Pairing pairing_;
    bool stopped_ = false;
    std::unordered_map<LinkNumber, Link> links_;
    std::unordered_map<RequestNumber, Channel<RequestResult>> replies_;
    std::map<LegKey, Channel<LegOrder>> legs_;
    LegJoiner joiner_;
    Channel<Nothing> deadline_moved_;
    Clock::time_point watched_deadline_ = Clock::time_point::max();
};

}  // namespace device_streams::hub
