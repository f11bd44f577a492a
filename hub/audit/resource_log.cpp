#include "hub/audit/resource_log.hpp"

#include "common/app/append_file.hpp"
#include "common/base/error.hpp"

#include <system_error>
#include <utility>

namespace device_streams::hub {

namespace {

class AppendedFile final : public RecordFile {
 public:
    void open(const std::string& path) override { file_.open(path); }
    void append(std::string_view line) override { file_.append(line); }
    std::uint64_t size() const override { return file_.size(); }
    void shift(const std::string& path, unsigned kept) override { shift_files(path, kept); }

 private:
    AppendFile file_;
};

// A path that cannot be opened is not tried for every record.
constexpr auto pause_between_openings = std::chrono::seconds(1);

}  // namespace

std::unique_ptr<RecordFile> make_record_file() {
    return std::make_unique<AppendedFile>();
}

ResourceLog::ResourceLog(std::string hub_name, Clock& clock, Log log, Limits limits, std::unique_ptr<RecordFile> file)
    : hub_name_(std::move(hub_name)),
      clock_(clock),
      log_(std::move(log)),
      limits_(limits),
      strangers_(limits.strangers, limits.of_stranger),
      file_(std::move(file)),
      writer_([this] { write_all(); }) {
}

ResourceLog::~ResourceLog() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    work_.notify_one();
    writer_.join();
}

void ResourceLog::use(const std::string& path, std::uint64_t most_bytes) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(NewPath{path, most_bytes});
        on_ = !path.empty();
    }
    work_.notify_one();
}

void ResourceLog::add(ResourceRecord record) {
    if (!on_) return;
    {
        const std::lock_guard lock(mutex_);
        put(std::move(record));
    }
    work_.notify_one();
}

void ResourceLog::add_of_stranger(std::string_view peer, ResourceRecord record) {
    if (!on_) return;
    std::unique_lock lock(mutex_);
    const auto verdict = strangers_.event(peer, clock_.now());
    if (verdict.passes) put(std::move(record));
    lock.unlock();
    if (verdict.left_out > 0)
        log_.warning("refused peers are not all in the resource log", {{"records_left_out", verdict.left_out}});
    work_.notify_one();
}

void ResourceLog::add_of_device(const iothub::Target& device, ResourceRecord record) {
    if (!on_) return;
    std::unique_lock lock(mutex_);
    const auto now = clock_.now();
    forget_quiet_devices(now);
    const auto verdict = devices_.try_emplace(device, limits_.device).first->second.event(now);
    if (verdict.passes) put(std::move(record));
    lock.unlock();
    if (verdict.left_out > 0)
        log_.warning("a device comes and goes so often that not all of it is in the resource log",
                     {{"device", device.to_string()}, {"records_left_out", verdict.left_out}});
    work_.notify_one();
}

// Those whose last window is over and had room.
void ResourceLog::forget_quiet_devices(Clock::time_point now) {
    if (now < devices_since_ + limits_.device.window) return;
    devices_since_ = now;
    std::erase_if(devices_, [&](const auto& entry) { return entry.second.is_idle(now); });
}

void ResourceLog::put(ResourceRecord record) {
    if (waiting_.size() < limits_.waiting)
        waiting_.push_back(Entry{std::move(record), clock_.wall_now()});
    else
        ++overflowed_;
}

// The writer.

void ResourceLog::write_all() {
    std::unique_lock lock(mutex_);
    for (;;) {
        work_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        const auto batch = std::exchange(waiting_, {});
        const auto overflowed = std::exchange(overflowed_, 0);
        lock.unlock();
        for (const auto& order : batch) std::visit([this](const auto& known) { handle(known); }, order);
        lost_ += overflowed;
        if (overflowed > 0) report_loss("it is written too slowly");
        lock.lock();
    }
}

void ResourceLog::handle(const NewPath& order) {
    path_ = order.path;
    most_bytes_ = order.most_bytes;
    if (path_.empty()) {
        open_ = failing_ = false;
        lost_ = 0;
    } else {
        open();
    }
}

void ResourceLog::open() {
    retry_ = clock_.now() + pause_between_openings;
    open_ = false;
    try {
        file_->open(path_);
        open_ = true;
    } catch (const std::system_error& failure) {
        report_loss(failure.code().message());
    }
}

// Where it cannot be renamed it goes on as it is.
void ResourceLog::rotate() {
    try {
        file_->shift(path_, limits_.kept_files);
    } catch (const std::system_error& failure) {
        most_bytes_ = 0;
        log_.fault(LogLevel::error, Errc::resource_log_unwritable, "it cannot be renamed: " + failure.code().message(),
                   {{"file", path_}});
        return;
    }
    open();
}

void ResourceLog::handle(const Entry& entry) {
    if (!open_ && clock_.now() >= retry_) open();
    if (!open_) {
        ++lost_;
        return;
    }
    try {
        file_->append(resource_line(entry.record, hub_name_, entry.when));
        if (failing_) report_recovery();
        if (most_bytes_ > 0 && file_->size() >= most_bytes_) rotate();
    } catch (const std::system_error& failure) {
        ++lost_;
        report_loss(failure.code().message());
    }
}

void ResourceLog::report_loss(std::string_view why) {
    if (std::exchange(failing_, true)) return;
    log_.fault(LogLevel::error, Errc::resource_log_unwritable, why, {{"file", path_}});
}

void ResourceLog::report_recovery() {
    failing_ = false;
    const auto& info = describe(Errc::resource_log_unwritable);
    log_.warning("the resource log is written again",
                 {{"code", info.id}, {"file", path_}, {"records_lost", std::exchange(lost_, 0)}});
}

}  // namespace device_streams::hub
