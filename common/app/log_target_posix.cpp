#include "common/app/log_target.hpp"

#include "common/app/append_file.hpp"
#include "common/base/error.hpp"
#include "common/base/log_text.hpp"
#include "common/net/socket_address.hpp"
#include "common/text/rfc3339.hpp"

#include <cerrno>
#include <chrono>
#include <ctime>
#include <mutex>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace device_streams {

namespace {

// What a target does not take is told on standard error, and so is the reason whenever it begins.
class TargetSink : public LogSink {
 public:
    void write(LogLevel level, std::string_view message, const std::vector<LogField>& fields) final {
        const std::lock_guard lock(mutex_);
        try {
            put(level, message, fields);
            failing_ = false;
        } catch (const std::system_error& failure) {
            if (!std::exchange(failing_, true))
                rest_->write(LogLevel::error,
                             explain(Failure(Errc::log_unwritable, target() + ": " + failure.code().message())), {});
            rest_->write(level, message, fields);
        }
    }

 private:
    // Throws std::system_error.
    virtual void put(LogLevel level, std::string_view message, const std::vector<LogField>& fields) = 0;
    virtual std::string target() const = 0;

    std::mutex mutex_;
    const std::shared_ptr<LogSink> rest_ = make_stderr_sink(LogFormat::automatic);
    bool failing_ = false;
};

class FileSink final : public TargetSink {
 public:
    FileSink(LogFormat format, std::string path) : format_(format), path_(std::move(path)) {}

 private:
    void put(LogLevel level, std::string_view message, const std::vector<LogField>& fields) override {
        if (!file_.is_open() || !file_.is_at(path_)) file_.open_private(path_);
        file_.append(text(level, message, fields) + "\n");
    }
    std::string target() const override { return path_; }

    std::string text(LogLevel level, std::string_view message, const std::vector<LogField>& fields) const {
        const auto now = std::chrono::system_clock::now();
        if (format_ == LogFormat::journald) return journald_line(level, message, fields);
        if (format_ != LogFormat::human) return json_line(level, message, fields, now);
        return format_rfc3339(now, 3) + " " + std::string(to_string(level)) + " " + human_line(message, fields);
    }

    const LogFormat format_;
    const std::string path_;
    AppendFile file_;
};

[[noreturn]] void fail() {
    throw std::system_error(errno, std::generic_category());
}

class SyslogSink final : public TargetSink {
 public:
    SyslogSink(std::string program, std::string socket) : program_(std::move(program)), path_(std::move(socket)) {}
    ~SyslogSink() override { disconnect(); }

 private:
    void put(LogLevel level, std::string_view message, const std::vector<LogField>& fields) override {
        const auto line = text(level, message, fields);
        if (fd_ < 0) connect();
        if (send(line)) return;
        disconnect();  // the daemon was started anew
        connect();
        if (!send(line)) fail();
    }
    std::string target() const override { return path_; }

    bool send(const std::string& line) const {
        return ::send(fd_, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
    }

    void connect() {
        const auto address = unix_address(path_);
        fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd_ < 0) fail();
        if (::connect(fd_, address.data(), static_cast<socklen_t>(address.size())) == 0) return;
        const int error = errno;
        disconnect();
        throw std::system_error(error, std::generic_category());
    }

    void disconnect() noexcept {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

    // journald_line begins with the severity, to which the facility is added.
    std::string text(LogLevel level, std::string_view message, const std::vector<LogField>& fields) const {
        constexpr int daemon = 3 << 3;
        const auto line = journald_line(level, message, fields);
        const int severity = line[1] - '0';
        return "<" + std::to_string(daemon + severity) + ">" + local_time() + " " + program_ + "[" +
               std::to_string(::getpid()) + "]: " + line.substr(line.find('>') + 1);
    }

    static std::string local_time() {
        const std::time_t now = std::time(nullptr);
        std::tm parts{};
        ::localtime_r(&now, &parts);
        char text[32];
        return {text, std::strftime(text, sizeof text, "%b %e %T", &parts)};
    }

    const std::string program_, path_;
    int fd_ = -1;
};

}  // namespace

std::shared_ptr<LogSink> make_file_sink(LogFormat format, std::string path) {
    return std::make_shared<FileSink>(format, std::move(path));
}

std::shared_ptr<LogSink> make_syslog_sink(std::string program, std::string socket) {
    return std::make_shared<SyslogSink>(std::move(program), std::move(socket));
}

std::shared_ptr<LogSink> make_log_sink(const LogSettings& settings, const std::string& program) {
    if (!settings.file.empty()) return make_file_sink(settings.format, settings.file);
    if (settings.target == LogTarget::syslog) return make_syslog_sink(program);
    return make_stderr_sink(settings.format);
}

}  // namespace device_streams
