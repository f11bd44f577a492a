#pragma once

#include "common/base/error.hpp"

#include <atomic>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace device_streams {

enum class LogLevel { debug, info, warning, error };

/// How lines are written. `automatic`: human on a terminal, journald priorities under systemd, JSON lines elsewhere.
enum class LogFormat { automatic, human, json, journald };

/// One named value of a line. Never a secret, a token or a digest; MQTT topics only up to `?`.
struct LogField {
    LogField(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
    template <typename Number>
    requires std::is_arithmetic_v<Number> LogField(std::string_view field_name, Number number)
        : name(field_name), value(std::to_string(number)), is_number(true) {}

    std::string name;
    std::string value;
    bool is_number = false;
};

/// Where lines go. Called from any thread.
class LogSink {
 public:
    virtual ~LogSink() = default;
    virtual void write(LogLevel level, std::string_view message, const std::vector<LogField>& fields) = 0;
};

/// Writes to standard error through spdlog. Values that could break a line (control characters) are escaped.
std::shared_ptr<LogSink> make_stderr_sink(LogFormat format);

/// A cheap value: a sink, a level shared with all its children, and the fields that stand in each of its lines.
class Log {
 public:
    explicit Log(std::shared_ptr<LogSink> sink, LogLevel level = LogLevel::info);
    /// A log whose lines also carry `fields`.
    Log with(std::initializer_list<LogField> fields) const;
    /// Takes effect in this log, its parents and its children, at once.
    void set_level(LogLevel level);
    bool enabled(LogLevel level) const { return level >= state_->level.load(std::memory_order_relaxed); }

    void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const;
    void info(std::string_view message, std::initializer_list<LogField> fields = {}) const;
    void warning(std::string_view message, std::initializer_list<LogField> fields = {}) const;
    void error(std::string_view message, std::initializer_list<LogField> fields = {}) const;
    void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const;
    /// A fault as its row of the error table has it: what happened, code and next step. `reason` is one clause.
    void fault(LogLevel level, Errc errc, std::string_view reason, std::initializer_list<LogField> fields = {}) const;

 private:
    struct State {
        std::shared_ptr<LogSink> sink;
        std::atomic<LogLevel> level;
    };
    std::shared_ptr<State> state_;
    std::vector<LogField> fields_;
};

}  // namespace device_streams
