#include "service-proxy/last_error.hpp"

#include "common/app/private_files.hpp"
#include "common/base/error.hpp"
#include "common/base/log_text.hpp"
#include "common/base/random.hpp"

#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>

namespace device_streams::service {

namespace {

namespace fs = std::filesystem;

// Relative paths are to be ignored (XDG Base Directory Specification).
fs::path directory_in(const char* variable) {
    const char* value = std::getenv(variable);
    const fs::path path = value != nullptr ? value : "";
    return path.is_absolute() ? path : fs::path();
}

// Another process may be faster.
void make_directories(const fs::path& directory) {
    if (fs::exists(directory)) return;
    make_directories(directory.parent_path());
    try {
        make_private_directory(directory);
    } catch (const Failure&) {
        if (!fs::is_directory(directory)) throw;
    }
}

class LastErrorSink final : public LogSink {
 public:
    LastErrorSink(std::shared_ptr<LogSink> sink, fs::path file) : sink_(std::move(sink)), file_(std::move(file)) {}

    void write(LogLevel level, std::string_view message, const std::vector<LogField>& fields) override {
        sink_->write(level, message, fields);
        if (level < LogLevel::warning) return;
        try {
            replace(json_line(level, message, fields, std::chrono::system_clock::now()) + "\n");
        } catch (const std::exception&) {
            // The line has been told, and this is about another one's loss.
        }
    }

 private:
    void replace(const std::string& text) const {
        make_directories(file_.parent_path());
        const auto fresh = file_.string() + "." + random_hex(8);
        write_private_file(fresh, text);
        std::error_code failed;
        fs::rename(fresh, file_, failed);
        if (failed) fs::remove(fresh, failed);
    }

    const std::shared_ptr<LogSink> sink_;
    const fs::path file_;
};

}  // namespace

fs::path last_error_file() {
    auto state = directory_in("XDG_STATE_HOME");
    if (state.empty()) {
        state = directory_in("HOME");
        if (state.empty()) return {};
        state /= ".local/state";
    }
    return state / "device-streams" / "last-error";
}

std::shared_ptr<LogSink> keep_last_error(std::shared_ptr<LogSink> sink, fs::path file) {
    if (file.empty()) return sink;
    return std::make_shared<LastErrorSink>(std::move(sink), std::move(file));
}

}  // namespace device_streams::service
