#pragma once

#include "common/base/log.hpp"
#include "hub/audit/resource_record.hpp"
#include "hub/limits/source_gate.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>

namespace device_streams::hub {

/// Where the lines of the resource log go; used by one thread. Both throw std::system_error.
class RecordFile {
 public:
    virtual ~RecordFile() = default;
    virtual void open(const std::string& path) = 0;
    virtual void append(std::string_view line) = 0;
    /// Bytes in it; 0 for what cannot be rotated, as a FIFO.
    virtual std::uint64_t size() const = 0;
    /// Renames PATH to PATH.1, PATH.1 to PATH.2 and so on; what would be more than `kept` goes. open() follows.
    virtual void shift(const std::string& path, unsigned kept) = 0;
};
std::unique_ptr<RecordFile> make_record_file();

/// Writes records to a file, on a thread of its own: nobody waits for a disk. What the file does not take, and what
/// piles up behind a slow one, is lost and counted; the first loss is reported, and so is the end of it.
class ResourceLog {
 public:
    struct Limits {
        std::size_t waiting = 10'000;                                       ///< records that the file is behind
        WindowRateLimiter::Limits strangers{15, std::chrono::seconds(30)};  ///< records that anybody can cause
        unsigned of_stranger = 5;                                           ///< of these, from one source
        WindowRateLimiter::Limits device{30, std::chrono::seconds(60)};     ///< of the links of one device
        unsigned kept_files = 5;                                            ///< older ones, beside the present one
    };
    ResourceLog(std::string hub_name, Clock& clock, Log log, Limits limits,
                std::unique_ptr<RecordFile> file = make_record_file());
    ResourceLog(std::string hub_name, Clock& clock, Log log)
        : ResourceLog(std::move(hub_name), clock, std::move(log), Limits()) {}
    /// Writes what waits first.
    ~ResourceLog();

    /// From now on records go to `path`, opened afresh also when it is the same (it may have been rotated away);
    /// empty: nowhere. Any thread.
    /// `most_bytes`: then it is renamed and begun afresh; 0: never.
    void use(const std::string& path, std::uint64_t most_bytes = 0);
    /// Any thread; returns at once.
    void add(ResourceRecord record);
    /// For a peer that nobody vouches for, as address:port: see SourceGate. A flood of them fills no disk, and is no
    /// way to have what was written before rotated away.
    void add_of_stranger(std::string_view peer, ResourceRecord record);
    /// For what a device causes by coming and going: the same for each.
    void add_of_device(const iothub::Target& device, ResourceRecord record);

 private:
    struct Entry {
        ResourceRecord record;
        Clock::wall_time when;
    };
    struct NewPath {
        std::string path;
        std::uint64_t most_bytes;
    };
    using Order = std::variant<Entry, NewPath>;
    void put(ResourceRecord record);
    void write_all();
    void handle(const Entry& entry);
    void handle(const NewPath& order);
    void open();
    void rotate();
    void forget_quiet_devices(Clock::time_point now);
    void report_loss(std::string_view why);
    void report_recovery();

    const std::string hub_name_;
    Clock& clock_;
    const Log log_;
    const Limits limits_;
    std::atomic<bool> on_ = false;

    std::mutex mutex_;  // once per record; never held while the file is written
    std::condition_variable work_;
    std::deque<Order> waiting_;
    SourceGate strangers_;
    std::map<iothub::Target, WindowRateLimiter> devices_;
    Clock::time_point devices_since_{};
    std::uint64_t overflowed_ = 0;
    bool stopping_ = false;

    // On the writer's thread only.
    std::unique_ptr<RecordFile> file_;
    std::string path_;
    std::uint64_t most_bytes_ = 0;
    bool open_ = false;
    Clock::time_point retry_{};
    bool failing_ = false;
    std::uint64_t lost_ = 0;
    std::thread writer_;
};

}  // namespace device_streams::hub
