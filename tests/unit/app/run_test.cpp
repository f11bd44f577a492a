#include "common/app/run.hpp"

#include "common/base/error.hpp"

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <csignal>
#include <mutex>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace device_streams::run_to_the_end_test {
namespace {

/// What happened, in order, from any thread.
class Journal {
 public:
    void note(std::string what) {
        const std::lock_guard lock(mutex_);
        text_ += (text_.empty() ? "" : " ") + std::move(what);
    }
    std::string text() const {
        const std::lock_guard lock(mutex_);
        return text_;
    }

 private:
    mutable std::mutex mutex_;
    std::string text_;
};

class JournalSink final : public LogSink {
 public:
    void write(LogLevel level, std::string_view message, const std::vector<LogField>&) override {
        if (level == LogLevel::error) errors.note(std::string(message));
        if (message == "ready") at_ready();
    }
    std::function<void()> at_ready = [] {};
    Journal errors;
};

/// What a test wants the component to do at each call; every call is noted.
struct Script {
    Journal journal;
    std::function<void()> at_start = [] {};
    bool start_waits = false;  // until it is cancelled
    std::function<void()> at_stop = [] {};
    std::function<void()> at_reload = [] {};
    std::function<void()> at_wait = [] {};
    bool ends_when_asked = true;               // else only cancel() ends it
    std::function<void()> when_ready = [] {};  // in a handler of its own
    int finish_with = -1;
};

class ScriptedComponent final : public Component {
 public:
    ScriptedComponent(Script& script, Environment environment)
        : script_(script), environment_(std::move(environment)), done_(environment_.io) {
        done_.expires_at(asio::steady_timer::time_point::max());
    }
    ~ScriptedComponent() override { script_.journal.note("dropped"); }

    asio::awaitable<void> start() override {
        script_.journal.note("start");
        script_.at_start();
        if (script_.start_waits) {
            asio::steady_timer forever(environment_.io, asio::steady_timer::time_point::max());
            co_await forever.async_wait(asio::use_awaitable);
        }
        if (script_.finish_with >= 0) environment_.finish(script_.finish_with);
    }
    void stop_accepting() override {
        script_.journal.note("stop");
        if (script_.ends_when_asked) is_done_ = true;
        script_.at_stop();
    }
    void cancel() override {
        script_.journal.note("cancel");
        is_done_ = true;
        done_.cancel();
    }
    asio::awaitable<void> until_done() override {
        script_.at_wait();
        while (!is_done_) {
            try {
                co_await done_.async_wait(asio::use_awaitable);
            } catch (const std::system_error&) {
                continue;  // woken
            }
        }
        script_.journal.note("done");
    }

 private:
    Script& script_;
    Environment environment_;
    asio::steady_timer done_;
    bool is_done_ = false;
};

class ScriptedReloader final : public Reloader {
 public:
    explicit ScriptedReloader(Script& script) : script_(script) {}
    Changes reload() override {
        script_.journal.note("reload");
        script_.at_reload();
        return {};
    }
    std::optional<Changes> renew() override { return std::nullopt; }

 private:
    Script& script_;
};

struct Outcome {
    int exit_code;
    std::string errors;
};

Outcome run_script(Script& script, RunSettings settings = {.program = "test"}) {
    const auto sink = std::make_shared<JournalSink>();
    const auto make = [&script, &sink](Environment environment) {
        sink->at_ready = [&script, &io = environment.io] { asio::post(io, script.when_ready); };
        return std::make_unique<ScriptedComponent>(script, std::move(environment));
    };
    ScriptedReloader reloader(script);
    const int exit_code = run(settings, Log(sink), make, &reloader);
    return {exit_code, sink->errors.text()};
}

void terminate() {
    std::raise(SIGTERM);
}

TEST(Run, TerminateStopsDrainsAndDropsInThisOrder) {
    Script script;
    script.when_ready = terminate;
    EXPECT_EQ(run_script(script).exit_code, exit_ok);
    EXPECT_EQ(script.journal.text(), "start stop done dropped");
}

TEST(Run, InterruptStopsLikeTerminate) {
    Script script;
    script.when_ready = [] { std::raise(SIGINT); };
    EXPECT_EQ(run_script(script).exit_code, exit_ok);
    EXPECT_EQ(script.journal.text(), "start stop done dropped");
}

TEST(Run, WorksWithSeveralThreads) {
    Script script;
    script.when_ready = terminate;
    EXPECT_EQ(run_script(script, {.program = "test", .threads = 4}).exit_code, exit_ok);
    EXPECT_EQ(script.journal.text(), "start stop done dropped");
}

TEST(Run, SecondTerminateCancels) {
    Script script;
    script.ends_when_asked = false;
    script.when_ready = terminate;
    script.at_wait = terminate;
    EXPECT_EQ(run_script(script).exit_code, exit_ok);
    EXPECT_EQ(script.journal.text(), "start stop cancel done dropped");
}

TEST(Run, TerminateAfterTheEndDoesNotChangeTheExitCode) {
    Script script;
    script.when_ready = terminate;
    const auto outcome = run_script(script);
    terminate();  // comes while the process frees what is left: by default it ends here
    EXPECT_EQ(outcome.exit_code, exit_ok);
}

TEST(Run, DrainThatIsUsedUpCancels) {
    Script script;
    script.ends_when_asked = false;
    script.when_ready = terminate;
    EXPECT_EQ(run_script(script, {.program = "test", .drain = std::chrono::milliseconds(0)}).exit_code, exit_ok);
    EXPECT_EQ(script.journal.text(), "start stop cancel done dropped");
}

TEST(Run, HandOverStopsAcceptingAndWaitsForWhatRuns) {
    Script script;
    script.ends_when_asked = false;
    script.when_ready = [] { std::raise(SIGUSR2); };
    script.at_wait = [&script] {
        script.journal.note("waits");
        terminate();
    };
    EXPECT_EQ(run_script(script, {.program = "test", .drain = std::chrono::milliseconds(0)}).exit_code, exit_ok);
    EXPECT_EQ(script.journal.text(), "start stop waits cancel done dropped");
}

TEST(Run, ReloadReachesTheComponentAndItGoesOn) {
    Script script;
    script.when_ready = [] { std::raise(SIGHUP); };
    script.at_reload = terminate;
    EXPECT_EQ(run_script(script).exit_code, exit_ok);
    EXPECT_EQ(script.journal.text(), "start reload stop done dropped");
}

TEST(Run, FailedReloadIsLoggedFaultByFaultAndItGoesOn) {
    Script script;
    script.when_ready = [] { std::raise(SIGHUP); };
    script.at_reload = [] {
        terminate();
        throw Failure(Errc::config_invalid, "a.yaml:1:1 x: wrong\na.yaml:2:1 y: wrong");
    };
    const auto outcome = run_script(script);
    EXPECT_EQ(outcome.exit_code, exit_ok);
    EXPECT_EQ(outcome.errors,
              "a.yaml:1:1 x: wrong a.yaml:2:1 y: wrong configuration not reloaded: the old settings stay");
}

TEST(Run, FailureAtStartIsExplainedAndFails) {
    Script script;
    script.at_start = [] { throw Failure(Errc::listen_failed, "[::]:443: permission denied"); };
    const auto outcome = run_script(script);
    EXPECT_EQ(outcome.exit_code, exit_system);
    EXPECT_EQ(outcome.errors.find("DS-105 cannot listen: [::]:443: permission denied. Choose another"), 0U);
    EXPECT_EQ(script.journal.text(), "start stop cancel done dropped");
}

TEST(Run, ConfigurationFaultAtStartHasItsOwnExitCode) {
    Script script;
    script.at_start = [] { throw Failure(Errc::certificate_unusable, "hub.pem"); };
    EXPECT_EQ(run_script(script).exit_code, exit_config);
}

TEST(Run, UnknownExceptionAtStartFails) {
    Script script;
    script.at_start = [] { throw std::runtime_error("odd"); };
    const auto outcome = run_script(script);
    EXPECT_EQ(outcome.exit_code, exit_failure);
    EXPECT_EQ(outcome.errors.find("DS-901"), 0U);
}

TEST(Run, ComponentThatCannotBeMadeFails) {
    const auto sink = std::make_shared<JournalSink>();
    const auto make = [](Environment) -> std::unique_ptr<Component> { throw Failure(Errc::state_unusable, "x"); };
    EXPECT_EQ(run({.program = "test"}, Log(sink), make), exit_cut);
    EXPECT_EQ(sink->errors.text().find("DS-106"), 0U);
}

TEST(Run, TerminateWhileStartingEndsTheStart) {
    Script script;
    script.start_waits = true;
    script.at_start = terminate;
    EXPECT_EQ(run_script(script).exit_code, exit_ok);
    EXPECT_EQ(script.journal.text(), "start stop cancel done dropped");
}

TEST(Run, WorkThatEndsByItselfChoosesTheExitCode) {
    Script script;
    script.finish_with = 7;
    EXPECT_EQ(run_script(script).exit_code, 7);
    EXPECT_EQ(script.journal.text(), "start stop done dropped");
}

TEST(Run, FaultInAHandlerIsLoggedAndTheRestGoesOn) {
    Script script;
    script.when_ready = [] {
        terminate();
        throw std::runtime_error("broken handler");
    };
    const auto outcome = run_script(script);
    EXPECT_EQ(outcome.exit_code, exit_ok);
    EXPECT_NE(outcome.errors.find("broken handler"), std::string::npos);
    EXPECT_EQ(script.journal.text(), "start stop done dropped");
}

TEST(Process, DescriptorLimitIsRaisedToTheHardLimit) {
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit lowered = before;
    lowered.rlim_cur = 64;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lowered), 0);
    EXPECT_EQ(raise_descriptor_limit(), before.rlim_max);
    rlimit after{};
    getrlimit(RLIMIT_NOFILE, &after);
    EXPECT_EQ(after.rlim_cur, before.rlim_max);
}

TEST(Process, RunForbidsCoreDumps) {
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    Script script;
    script.when_ready = terminate;
    run_script(script);
    EXPECT_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}

}  // namespace
}  // namespace device_streams::run_to_the_end_test
