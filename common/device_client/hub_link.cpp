#include "common/device_client/hub_link.hpp"

#include "common/async/join.hpp"
#include "common/base/error.hpp"
#include "common/http/date.hpp"

#include <algorithm>
#include <optional>

namespace device_streams::device {

namespace {

// An answer that the hub lost with the old link is wanted again within moments, or never.
constexpr auto answer_worth = std::chrono::seconds(10);
// How often a waiting link looks whether the clock was set, and what it takes for that.
constexpr auto clock_check = std::chrono::seconds(5);
constexpr auto clock_step = std::chrono::minutes(1);

asio::awaitable<void> call(std::function<void()> action) {
    action();
    co_return;
}

// A hub that restarts meets its whole fleet at once; what is left of its grace for dropped links (5 s) is used.
constexpr int spread_after_restart = 4;

// The wall clock's, from the steady one: it changes when the wall clock is set, and when the machine has slept.
Clock::wall_time::duration offset_of(const Clock& clock) {
    return clock.wall_now().time_since_epoch() - clock.now().time_since_epoch();
}

bool is(const std::exception_ptr& failure, Errc what) {
    if (!failure) return false;
    try {
        std::rethrow_exception(failure);
    } catch (const Failure& known) {
        return known.errc() == what;
    } catch (...) {
        return false;
    }
}

}  // namespace

struct HubLink::Life {
    Life(const asio::any_io_executor& strand, Clock& clock, const Log& log, LinkLife::Handlers handlers,
         LinkSettings link_settings)
        : settings(std::move(link_settings)),
          clock_offset(offset_of(clock)),
          link(strand, clock, log, std::move(handlers)) {}

    const LinkSettings settings;
    Clock::wall_time::duration clock_offset;  // when it began, or ended after it was up
    std::optional<std::chrono::seconds> hub_ahead;
    LinkLife link;
    std::optional<Clock::time_point> up_since;
    Clock::time_point renewal = Clock::time_point::max();
    bool renews = false;  // made while another one was up
    bool over = false;
    bool dismissed = false;  // told to leave: how it ends is of no interest
    std::exception_ptr failure;
};

HubLink::HubLink(asio::any_io_executor executor, Clock& clock, Log log, LinkSettings settings, OnRequest on_request,
                 Opener open, std::function<double()> random)
    : tasks_(executor),
      strand_(tasks_.make_strand()),
      clock_(clock),
      log_(std::move(log)),
      settings_(std::move(settings)),
      on_request_(std::move(on_request)),
      open_(std::move(open)),
      random_(std::move(random)),
      backoff_(settings_.backoff, random_),
      takeover_pause_(random_),
      changed_(strand_) {
}

HubLink::~HubLink() = default;

void HubLink::on_strand(std::function<void()> action) {
    tasks_.spawn(strand_, call(std::move(action)));
}

void HubLink::start() {
    tasks_.spawn(strand_, keep_linked());
}

// From the strand, behind leave: nothing can be spawned between.
void HubLink::cancel() {
    leave();
    on_strand([this] { tasks_.cancel_all(); });
}

asio::awaitable<void> HubLink::until_done() {
    return tasks_.until_empty();
}

void HubLink::leave() {
    on_strand([this] {
        leaving_ = true;
        for (const auto& life : lives_) {
            life->dismissed = true;
            life->link.leave();
        }
        changed_.wake();
    });
}

void HubLink::apply(LinkSettings settings) {
    on_strand([this, settings = std::move(settings)]() mutable {
        replace_ = replace_ || !settings.same_link(settings_);
        settings_ = std::move(settings);
        backoff_ = Backoff(settings_.backoff, random_);
        changed_.wake();
    });
}

void HubLink::answer(iothub::StreamAnswer answer, bool repeatable) {
    on_strand([this, repeatable, answer = std::move(answer)] {
        if (auto* life = newest_up()) life->link.answer(answer);
        if (repeatable) recent_answers_.push_back({answer, clock_.now()});
        while (!recent_answers_.empty() && clock_.now() - recent_answers_.front().given > answer_worth)
            recent_answers_.pop_front();
    });
}

HubLink::Life* HubLink::newest_up() const {
    const auto newest = std::find_if(lives_.rbegin(), lives_.rend(), [](const auto& life) { return life->link.up(); });
    return newest == lives_.rend() ? nullptr : newest->get();
}

// The loop: one life after the other.
asio::awaitable<void> HubLink::keep_linked() {
    while (!leaving_) {
        const auto life = begin_life();
        tasks_.spawn(strand_, run_life(life));
        co_await until_over_or_old(*life);
        if (life->over && !leaving_) co_await pause(*life);
    }
}

std::shared_ptr<HubLink::Life> HubLink::begin_life() {
    replace_ = false;
    auto where = std::make_shared<Life*>();
    LinkLife::Handlers handlers;
    handlers.on_up = [this, where] { on_up(**where); };
    handlers.on_request = on_request_;
    auto life = std::make_shared<Life>(strand_, clock_, log_, std::move(handlers), settings_);
    *where = life.get();
    life->renews = newest_up() != nullptr;
    lives_.push_back(life);
    return life;
}

asio::awaitable<void> HubLink::run_life(std::shared_ptr<Life> life) {
    LinkOpener opener = [this, life] { return open(life); };
    std::function<mqtt::Connect()> login = [this, life] {
        const auto age = life->settings.renewal_age(clock_);
        if (age != Clock::duration::max()) life->renewal = clock_.now() + age;
        return make_login(life->settings, clock_, instance_);
    };
    try {
        co_await life->link.run(std::move(opener), std::move(login), life->settings.session);
    } catch (const Failure& failure) {
        const auto told = refused_login(failure, life->settings, life->hub_ahead, clock_);
        life->failure = std::make_exception_ptr(told);
    } catch (...) {
        life->failure = std::current_exception();
    }
    life->over = true;
    if (life->up_since) life->clock_offset = offset_of(clock_);
    std::erase(lives_, life);
    changed_.wake();
}

asio::awaitable<std::unique_ptr<ByteStream>> HubLink::open(std::shared_ptr<Life> life) {
    auto opened = co_await open_(life->settings, clock_, log_);
    life->hub_ahead = opened.hub_ahead;
    co_return std::move(opened.stream);
}

void HubLink::on_up(Life& life) {
    life.up_since = clock_.now();
    for (const auto& other : lives_) {
        if (other.get() == &life) continue;
        other->dismissed = true;
        other->link.leave();
    }
    repeat_answers(life);
    told_clock_behind_ = false;
    const auto clock_note = http::clock_note(life.hub_ahead, clock_.wall_now());
    if (!clock_note.empty()) log_.warning(clock_note + ": tokens may be refused");
    log_.info(life.renews ? "link to the hub renewed" : "linked to the hub",
              {{"hub", life.settings.hub.host_name},
               {"transport", life.settings.transport == LinkTransport::mqtt_ws ? "mqtt-ws" : "mqtt"},
               {"way", life.settings.hub.way()}});
    changed_.wake();
}

void HubLink::repeat_answers(Life& life) {
    for (const auto& recent : recent_answers_) {
        if (clock_.now() - recent.given <= answer_worth) life.link.answer(recent.answer);
    }
}

// Until this life has ended or the next one is due.
asio::awaitable<void> HubLink::until_over_or_old(const Life& life) {
    while (!life.over && !leaving_) {
        if (life.up_since && (replace_ || clock_.now() >= life.renewal)) co_return;
        co_await wait_until(life.up_since ? life.renewal : Clock::time_point::max());
    }
}

asio::awaitable<void> HubLink::wait_until(Clock::time_point deadline) {
    if (deadline == Clock::time_point::max()) {
        co_await changed_.wait();
    } else {
        co_await first_of(clock_.sleep_until(deadline), changed_.wait());
    }
}

asio::awaitable<void> HubLink::pause(const Life& life) {
    const auto wait = next_wait(life);
    tell_failure(life, wait);
    const auto deadline = clock_.now() + wait;
    while (!leaving_ && !replace_ && clock_.now() < deadline && !clock_was_set(life))
        co_await wait_until(std::min(deadline, clock_.now() + clock_check));
}

// A clock may stay as it is for hours; the first line says all.
void HubLink::tell_failure(const Life& life, Clock::duration wait) {
    const bool behind = is(life.failure, Errc::clock_behind);
    const bool told = behind && told_clock_behind_;
    told_clock_behind_ = behind;
    const auto reason = life.failure ? explain(life.failure) : "the link ended";
    log_.write(told ? LogLevel::debug : LogLevel::warning, "hub link: " + reason,
               {{"retry_in_ms", whole_milliseconds(wait)}});
}

bool HubLink::clock_was_set(const Life& life) const {
    return std::chrono::abs(offset_of(clock_) - life.clock_offset) >= clock_step;
}

Clock::duration HubLink::next_wait(const Life& life) {
    const auto lived = life.up_since ? clock_.now() - *life.up_since : Clock::duration::zero();
    if (is(life.failure, Errc::identity_taken_over)) return takeover_pause_.next(life.settings.backoff.longest, lived);
    if (life.up_since) backoff_.lived(lived);
    const auto wait = backoff_.next();
    // Trying a wrong credential soon again helps nobody; jitter keeps a fleet apart all the same.
    const auto longest = life.settings.backoff.longest;
    if (is(life.failure, Errc::hub_refused_login)) return longest / 2 + wait / 2;
    return is(life.failure, Errc::hub_stopping) ? std::min(longest, wait * spread_after_restart) : wait;
}

}  // namespace device_streams::device
