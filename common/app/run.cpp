#include "common/app/run.hpp"

#include "common/app/memory_reserve.hpp"
#include "common/app/requests.hpp"
#include "common/app/runner.hpp"
#include "common/base/error.hpp"

#include <exception>
#include <optional>
#include <thread>
#include <vector>

namespace device_streams {

namespace {

unsigned count_threads(unsigned wanted) {
    return wanted > 0 ? wanted : std::max(1U, std::thread::hardware_concurrency());
}

/// A fault that escapes a handler is logged and the others go on: one broken stream must not take the rest along.
void work(asio::io_context& io, const Log& log) {
    for (;;) {
        try {
            io.run();
            return;
        } catch (...) {
            log.error(explain(std::current_exception()), {{"where", "handler"}});
        }
    }
}

}  // namespace

int run(const RunSettings& settings, Log log, const std::function<std::unique_ptr<Component>(Environment)>& make,
        Reloader* reloader) {
    try {
        become(settings.run_as);
    } catch (const Failure& failure) {
        log.error(explain(failure));
        return exit_code_for(failure.errc());
    }
    if (is_root() && !settings.quiet)
        log.warning("the program runs as root, which it does not need",
                    {{"next", "Name a user in its configuration."}});
    forbid_core_dumps();
    keep_memory_reserve();
    ignore_broken_pipes();
    log.debug("file descriptors", {{"limit", raise_descriptor_limit()}});

    std::optional<UnheardRequests> unheard;  // outlives the runner, after which a request ends the process at once
    const unsigned threads = count_threads(settings.threads);
    SystemClock clock;  // outlives io, whose end may still drop coroutines that hold it
    asio::io_context io(static_cast<int>(threads));
    Runner runner(settings, log, io, clock, make, reloader);
    runner.begin();
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < threads; ++i) helpers.emplace_back([&] { work(io, log); });
    work(io, log);
    helpers.clear();
    unheard.emplace();
    return runner.exit_code();
}

}  // namespace device_streams
