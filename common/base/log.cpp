#include "common/base/log.hpp"

#include "common/base/log_text.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cstdio>
#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>

namespace device_streams {

namespace {

/// systemd names the socket or file that standard error is connected to, as device:inode (systemd.exec(5)).
bool is_connected_to_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
    return stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

LogFormat choose(LogFormat format) {
    if (format != LogFormat::automatic) return format;
    if (::isatty(STDERR_FILENO) == 1) return LogFormat::human;
    return is_connected_to_journal() ? LogFormat::journald : LogFormat::json;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::error:
            break;
    }
    return spdlog::level::err;
}

class StderrSink final : public LogSink {
 public:
    explicit StderrSink(LogFormat format) : format_(choose(format)), logger_("", make_sink(format_)) {
        logger_.set_level(spdlog::level::trace);  // Log filters
        logger_.set_pattern(format_ == LogFormat::human ? "%Y-%m-%dT%H:%M:%S.%e%z %^%-7l%$ %v" : "%v");
    }

    void write(LogLevel level, std::string_view message, const std::vector<LogField>& fields) override {
        const auto line = text(level, message, fields);
        logger_.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
    }

 private:
    static spdlog::sink_ptr make_sink(LogFormat format) {
        if (format == LogFormat::human) return std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>();
        return std::make_shared<spdlog::sinks::stderr_sink_mt>();
    }

    std::string text(LogLevel level, std::string_view message, const std::vector<LogField>& fields) const {
        switch (format_) {
            case LogFormat::json:
                return json_line(level, message, fields, std::chrono::system_clock::now());
            case LogFormat::journald:
                return journald_line(level, message, fields);
            default:
                return human_line(message, fields);
        }
    }

    LogFormat format_;
    spdlog::logger logger_;
};

}  // namespace

std::shared_ptr<LogSink> make_stderr_sink(LogFormat format) {
    return std::make_shared<StderrSink>(format);
}

Log::Log(std::shared_ptr<LogSink> sink, LogLevel level) : state_(std::make_shared<State>()) {
    state_->sink = std::move(sink);
    state_->level = level;
}

Log Log::with(std::initializer_list<LogField> fields) const {
    Log child = *this;
    child.fields_.insert(child.fields_.end(), fields);
    return child;
}

void Log::set_level(LogLevel level) {
    state_->level.store(level, std::memory_order_relaxed);
}

void Log::write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const {
    if (!enabled(level)) return;
    auto all = fields_;
    all.insert(all.end(), fields);
    state_->sink->write(level, message, all);
}

void Log::debug(std::string_view message, std::initializer_list<LogField> fields) const {
    write(LogLevel::debug, message, fields);
}

void Log::info(std::string_view message, std::initializer_list<LogField> fields) const {
    write(LogLevel::info, message, fields);
}

void Log::warning(std::string_view message, std::initializer_list<LogField> fields) const {
    write(LogLevel::warning, message, fields);
}

void Log::error(std::string_view message, std::initializer_list<LogField> fields) const {
    write(LogLevel::error, message, fields);
}

void Log::fault(LogLevel level, Errc errc, std::string_view reason, std::initializer_list<LogField> fields) const {
    const auto& info = describe(errc);
    const auto log = with({{"code", info.id}}).with(fields);
    log.write(level, info.summary, {{"reason", reason}, {"next", info.advice}});
}

}  // namespace device_streams
