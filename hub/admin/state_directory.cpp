#include "hub/admin/state_directory.hpp"

#include "common/base/error.hpp"

namespace device_streams::hub {

std::optional<FileLock> StateDirectory::try_lock() const {
    std::error_code hidden;
    if (std::filesystem::status(path, hidden).type() == std::filesystem::file_type::not_found)
        throw Failure(Errc::state_unusable, path.string() + " does not exist; stream-hub init makes a new hub");
    return FileLock::try_acquire(lock_file());
}

asio::awaitable<FileLock> StateDirectory::lock(Clock::duration patience, Clock& clock) const {
    const auto deadline = clock.now() + patience;
    for (;;) {
        if (auto lock = try_lock()) co_return std::move(*lock);
        if (clock.now() >= deadline) throw Failure(Errc::state_unusable, "another stream-hub uses " + path.string());
        co_await clock.sleep_for(std::chrono::milliseconds(50));
    }
}

}  // namespace device_streams::hub
