#pragma once

#include "common/async/backoff.hpp"
#include "common/async/event.hpp"
#include "common/async/task_set.hpp"
#include "common/base/log.hpp"
#include "common/device_client/link_life.hpp"
#include "common/device_client/link_settings.hpp"
#include "common/device_client/takeover_pause.hpp"
#include "common/tunnel/features.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace device_streams::device {

/// The device's link to the hub, kept up for ever: a loop that makes one LinkLife after the other, with backoff. Before
/// a life's token expires the next life is made beside it, and the old one leaves when the new one is subscribed; both
/// deliver stream requests meanwhile. A link whose place another machine took is made again after a long pause only.
///
/// Public members may be called from any thread. It must outlive its tasks: await until_done().
class HubLink {
 public:
    using OnRequest = std::function<void(iothub::StreamRequest)>;
    using Opener = std::function<asio::awaitable<OpenedLink>(LinkSettings, Clock&, const Log&)>;

    /// `on_request` is called on the link's strand. Tests replace `open` and the random numbers of the backoff.
    HubLink(asio::any_io_executor executor, Clock& clock, Log log, LinkSettings settings, OnRequest on_request,
            Opener open = open_link, std::function<double()> random = {});
    ~HubLink();

    void start();
    /// Sends the answer on the newest link. Towards a hub of ours (`repeatable`) it is sent again on a link that comes
    /// up shortly after, since it may have been lost with the one before; there a request id is valid on every link.
    void answer(iothub::StreamAnswer answer, bool repeatable);
    /// New lives use `settings`; the present one is replaced if it would be another link.
    void apply(LinkSettings settings);
    /// Says DISCONNECT and stays away.
    void leave();
    /// Drops everything at once.
    void cancel();
    /// Returns when the link was left or cancelled.
    asio::awaitable<void> until_done();

 private:
    struct Life;
    struct RecentAnswer {
        iothub::StreamAnswer answer;
        Clock::time_point given;
    };

    asio::awaitable<void> keep_linked();
    asio::awaitable<void> run_life(std::shared_ptr<Life> life);
    asio::awaitable<std::unique_ptr<ByteStream>> open(std::shared_ptr<Life> life);
    asio::awaitable<void> until_over_or_old(const Life& life);
    asio::awaitable<void> pause(const Life& life);
    asio::awaitable<void> wait_until(Clock::time_point deadline);
    std::shared_ptr<Life> begin_life();
    void on_up(Life& life);
    void repeat_answers(Life& life);
    void tell_failure(const Life& life, Clock::duration wait);
    bool clock_was_set(const Life& life) const;
    Clock::duration next_wait(const Life& life);
    Life* newest_up() const;
    void on_strand(std::function<void()> action);

    TaskSet tasks_;
    Strand strand_;  // of everything below
    Clock& clock_;
    Log log_;
    LinkSettings settings_;
    OnRequest on_request_;
    Opener open_;
    std::function<double()> random_;
    const std::string instance_ = make_instance_id();  // the hub knows by it that a link renews an older one
    Backoff backoff_;
    TakeoverPause takeover_pause_;
    Event changed_;                             // for keep_linked
    std::vector<std::shared_ptr<Life>> lives_;  // oldest first
    std::deque<RecentAnswer> recent_answers_;
    bool leaving_ = false;
    bool replace_ = false;            // settings changed: make the next life now
    bool told_clock_behind_ = false;  // and nothing else has happened since
};

}  // namespace device_streams::device
