#include "hub/admin/state_directory.hpp"

#include "common/base/error.hpp"

namespace device_streams::hub {

asio::awaitable<FileLock> StateDirectory::lock(Clock::duration patience, Clock& clock) const {
    const auto deadline = clock.now() + patience;
    const auto file = lock_file();
    for (;;) {
        if (auto lock = FileLock::try_acquire(file)) co_return std::move(*lock);
        if (clock.now() >= deadline) throw Failure(Errc::state_unusable, "another stream-hub uses " + path.string());
        co_await clock.sleep_for(std::chrono::milliseconds(50));
    }
}

}  // namespace device_streams::hub
