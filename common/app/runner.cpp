#include "common/app/runner.hpp"

#include "common/app/privileges.hpp"
#include "common/app/service_manager.hpp"
#include "common/async/join.hpp"
#include "common/async/run_on.hpp"
#include "common/base/error.hpp"
#include "common/base/version.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include <cstdlib>
#include <sstream>

namespace device_streams {

namespace {
/// A configuration has one line per fault; each becomes a line of the log.
void log_failure(const Log& log, const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const Failure& known) {
        if (known.errc() != Errc::config_invalid) return log.error(explain(known));
        std::istringstream faults(known.detail());
        for (std::string fault; std::getline(faults, fault);) log.error(fault, {{"code", describe(known.errc()).id}});
    } catch (...) {
        log.error(explain(failure));
    }
}

std::string listed(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

void log_changes(const Log& log, std::string_view message, const Changes& changes) {
    log.info(message, {{"changed", changes.used.empty() ? "nothing" : listed(changes.used)}});
    if (changes.for_restart.empty()) return;
    log.warning("some changed settings take a restart", {{"keys", listed(changes.for_restart)}});
}

constexpr std::chrono::seconds look_for_renewed_files_every{2};

/// For cancelled streams to say goodbye; components bound their goodbyes well below it.
constexpr std::chrono::seconds cancel_limit{20};
}  // namespace

Runner::Runner(const RunSettings& settings, Log log, asio::io_context& io, Clock& clock, const Make& make,
               Reloader* reloader)
    : settings_(settings),
      log_(std::move(log)),
      io_(io),
      clock_(clock),
      make_(make),
      reloader_(reloader),
      control_(asio::make_strand(asio::any_io_executor(io.get_executor()))),
      requests_(control_),
      stop_wanted_(control_, asio::steady_timer::time_point::max()) {
}

void Runner::begin() {
    asio::co_spawn(control_, handle_requests(), asio::detached);
    if (const auto beat = service_manager::watchdog_beat())
        asio::co_spawn(control_, feed_watchdog(*beat), asio::detached);
    asio::co_spawn(control_, live(), [this](std::exception_ptr failure) { on_end(failure); });
}

asio::awaitable<void> Runner::live() {
    tell("starting", {{"program", settings_.program}, {"version", version}, {"record_plane", settings_.record_plane}});
    ready_ = co_await start();
    if (ready_) {
        keep_no_privileges();
        service_manager::ready();
        tell("ready", {{"program", settings_.program}});
        if (reloader_ != nullptr) asio::co_spawn(control_, look_for_renewed_files(), asio::detached);
        if (finished_) stop(policy_.on_terminate());
        co_await until_stop_wanted();
    }
    if (!component_) co_return;
    stopping_ = true;
    component_->stop_accepting();
    if (!ready_) wanted_ = policy_.on_start_failed();
    perform(wanted_);
    co_await component_->until_done();
}

// False when it failed or was told to stop first.
asio::awaitable<bool> Runner::start() {
    try {
        component_ =
            make_({io_, clock_, log_, [this](int code) { finish(code); }, [this] { return reload_on_request(); },
                   std::make_shared<InheritedSockets>(service_manager::take_listening_sockets())});
        co_await first_of(component_->start(), until_stop_wanted());
    } catch (...) {
        fail(std::current_exception());
        co_return false;
    }
    co_return wanted_ == StopStep::nothing;
}

asio::awaitable<void> Runner::until_stop_wanted() {
    while (wanted_ == StopStep::nothing) {
        asio::error_code woken;
        co_await stop_wanted_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
}

asio::awaitable<void> Runner::handle_requests() {
    for (;;) handle(co_await requests_.next());
}

void Runner::handle(Request request) {
    switch (request) {
        case Request::reload:
            return handle_reload();
        case Request::hand_over:
            return stop(policy_.on_hand_over());
        case Request::stop:
            return stop(policy_.on_terminate());
    }
}

// The component and all it runs are gone or done: nothing is left that the io_context must keep.
void Runner::on_end(std::exception_ptr failure) {
    if (failure) fail(failure);
    component_.reset();
    tell("stopped", {{"program", settings_.program}, {"exit_code", exit_code_}});
    io_.stop();
}

void Runner::finish(int exit_code) {
    asio::post(control_, [this, exit_code] {
        if (policy_.is_stopping()) {
            if (exit_code != exit_ok) exit_code_ = exit_code;  // it was cut short
            return;
        }
        exit_code_ = exit_code;
        finished_ = true;
        if (ready_) stop(policy_.on_terminate());
    });
}

void Runner::handle_reload() {
    if (reloader_ == nullptr || !ready_ || stopping_) return;
    try {
        reload();
    } catch (...) {
        // it has been told
    }
}

Changes Runner::reload() {
    service_manager::reloading();
    Changes changes;
    std::exception_ptr failure;
    try {
        changes = reloader_->reload();
        log_changes(log_, "configuration reloaded", changes);
        renewal_problem_.clear();
    } catch (...) {
        failure = std::current_exception();
        log_failure(log_, failure);
        log_.error("configuration not reloaded: the old settings stay");
    }
    service_manager::ready();
    if (failure) std::rethrow_exception(failure);
    return changes;
}

asio::awaitable<Changes> Runner::reload_on_request() {
    auto reload_now = [this] {
        if (reloader_ == nullptr || !ready_ || stopping_) throw Failure(Errc::hub_stopping, "it takes no new settings");
        return reload();
    };
    auto changes = co_await run_on(control_, reload_now);
    co_return changes;
}

asio::awaitable<void> Runner::look_for_renewed_files() {
    while (!stopping_) {
        co_await clock_.sleep_for(look_for_renewed_files_every);
        if (!stopping_) renew();
    }
}

// What cannot be used, such as a certificate whose key is not there yet, is tried again at every look and told once.
void Runner::renew() {
    std::string problem;
    try {
        if (const auto changes = reloader_->renew()) log_changes(log_, "renewed files are in use", *changes);
    } catch (...) {
        problem = explain(std::current_exception());
    }
    if (!problem.empty() && problem != renewal_problem_)
        log_.error("renewed files are not used yet, the old ones stay: " + problem);
    renewal_problem_ = problem;
}

// Each beat has been through the control strand and the threads that move data: where these hang, systemd hears
// nothing.
asio::awaitable<void> Runner::feed_watchdog(std::chrono::milliseconds beat) {
    for (;;) {
        if (!service_manager::alive()) {
            log_.error("the process that started this one has died: what comes in its place takes over");
            stop(policy_.on_hand_over());
            co_return;
        }
        co_await clock_.sleep_for(beat);
        co_await asio::post(io_.get_executor(), asio::use_awaitable);
    }
}

void Runner::stop(StopStep step) {
    if (step == StopStep::nothing) return;
    wanted_ = step;
    stop_wanted_.cancel();
    if (stopping_) perform(step);
}

void Runner::perform(StopStep step) {
    switch (step) {
        case StopStep::nothing:
            return;
        case StopStep::hand_over:
            log_.info("handing over: no new streams, running ones go on");
            service_manager::status("handed over; running streams go on");
            service_manager::handed_over();
            return;
        case StopStep::drain:
            tell("stopping: running streams may end by themselves", {{"limit_ms", settings_.drain.count()}});
            service_manager::stopping();
            return limit_step(settings_.drain);
        case StopStep::cancel:
            tell("ending what still runs", {});
            service_manager::stopping();
            component_->cancel();
            return limit_step(cancel_limit);
        case StopStep::give_up:
            log_.error("something does not end; leaving it");
            std::_Exit(exit_failure);  // its owners are in use and cannot be destroyed
    }
}

void Runner::limit_step(std::chrono::milliseconds limit) {
    step_limit_ = clock_.alarm(control_, clock_.now() + limit);
    step_limit_->async_wait([this, step = wanted_](const asio::error_code&) {
        if (step == wanted_) stop(policy_.on_time_up());  // else another request came first
    });
}

void Runner::fail(const std::exception_ptr& failure) {
    exit_code_ = exit_failure;
    try {
        std::rethrow_exception(failure);
    } catch (const Failure& known) {
        exit_code_ = exit_code_for(known.errc());
    } catch (...) {
        // not one of ours: a plain failure
    }
    log_failure(log_, failure);
}

void Runner::tell(std::string_view message, std::initializer_list<LogField> fields) const {
    log_.write(settings_.quiet ? LogLevel::debug : LogLevel::info, message, fields);
}

}  // namespace device_streams
