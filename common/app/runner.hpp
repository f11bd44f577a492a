#pragma once

#include "common/app/requests.hpp"
#include "common/app/run.hpp"
#include "common/app/stop_policy.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>

#include <exception>

namespace device_streams {

/// The life of one component: start, work, stop, done. Everything happens on the control strand.
class Runner {
 public:
    using Make = std::function<std::unique_ptr<Component>(Environment)>;
    Runner(const RunSettings& settings, Log log, asio::io_context& io, Clock& clock, const Make& make,
           Reloader* reloader = nullptr);

    /// Begins the life; the io_context stops when it is over.
    void begin();
    int exit_code() const { return exit_code_; }

 private:
    asio::awaitable<void> live();
    asio::awaitable<bool> start();
    asio::awaitable<void> until_stop_wanted();
    asio::awaitable<void> handle_requests();
    void handle(Request request);
    void on_end(std::exception_ptr failure);
    void finish(int exit_code);
    void handle_reload();
    Changes reload();
    asio::awaitable<Changes> reload_on_request();
    asio::awaitable<void> look_for_renewed_files();
    asio::awaitable<void> feed_watchdog(std::chrono::milliseconds beat);
    void renew();
    void stop(StopStep step);
    void perform(StopStep step);
    void limit_step(std::chrono::milliseconds limit);
    void fail(const std::exception_ptr& failure);
    void tell(std::string_view message, std::initializer_list<LogField> fields) const;

    const RunSettings& settings_;
    Log log_;
    asio::io_context& io_;
    Clock& clock_;
    const Make& make_;
    Reloader* const reloader_;     // null: there is nothing to reload
    std::string renewal_problem_;  // as told
    asio::strand<asio::any_io_executor> control_;
    Requests requests_;
    asio::steady_timer stop_wanted_;                  // waits for ever; cancelled to wake its waiter
    std::shared_ptr<asio::steady_timer> step_limit_;  // of the step under way
    StopPolicy policy_;
    StopStep wanted_ = StopStep::nothing;
    bool ready_ = false;     // start() has returned
    bool finished_ = false;  // the component says so
    bool stopping_ = false;  // stop_accepting() has been called
    int exit_code_ = exit_ok;
    std::unique_ptr<Component> component_;
};

}  // namespace device_streams
