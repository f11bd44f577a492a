#pragma once

#include "common/async/task_set.hpp"
#include "common/base/log.hpp"
#include "hub/quota/stream_quotas.hpp"

#include <asio/thread_pool.hpp>

#include <filesystem>
#include <functional>

namespace device_streams::hub {

/// A day's volumes as the file has them; parse gives nullopt for anything else.
std::string write_volumes(const DayVolumes& volumes);
std::optional<DayVolumes> parse_volumes(std::string_view text);

/// Lets the day's volumes outlive the hub: brings the counts up to date all the time, and keeps them in a file, which a
/// thread of its own writes once a minute and when the hub stops. Without a path nothing is kept.
class QuotaFile {
 public:
    static constexpr auto count_every = std::chrono::seconds(5);
    static constexpr auto save_every = std::chrono::minutes(1);

    /// `count` tells the shares of the running streams what these have carried.
    QuotaFile(std::shared_ptr<StreamQuotas> quotas, std::filesystem::path file, std::function<void()> count,
              Clock& clock, Log log);
    /// Waits for a write under way.
    ~QuotaFile();

    /// Takes over what an earlier hub has counted. Blocks; before the first stream.
    void load();
    /// Until it is cancelled.
    asio::awaitable<void> run();
    /// Saves for the last time before another hub may use the file.
    asio::awaitable<void> yield();
    /// What was carried since, unless the next hub has written the file.
    asio::awaitable<void> finish();

 private:
    asio::awaitable<void> save();
    // On the thread.
    bool write(bool last_of_ours);
    void put(const std::string& text);
    void report(const Failure& failure);

    const std::shared_ptr<StreamQuotas> quotas_;
    const std::filesystem::path file_;
    const std::function<void()> count_;
    Clock& clock_;
    const Log log_;
    std::string written_;
    bool yielded_ = false;
    bool failing_ = false;
    asio::thread_pool thread_{1};
    Strand files_;
};

}  // namespace device_streams::hub
