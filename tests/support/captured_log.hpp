#pragma once

#include "common/base/log.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace device_streams::test {

/// Keeps every line as "level message name=value ..." for tests to assert on. Thread-safe.
class CapturedLog final : public LogSink {
 public:
    void write(LogLevel level, std::string_view message, const std::vector<LogField>& fields) override {
        static constexpr const char* names[] = {"debug", "info", "warning", "error"};
        std::string line = std::string(names[static_cast<int>(level)]) + " " + std::string(message);
        for (const auto& field : fields) line += " " + field.name + "=" + field.value;
        const std::lock_guard lock(mutex_);
        lines_.push_back(std::move(line));
    }
    std::vector<std::string> lines() const {
        const std::lock_guard lock(mutex_);
        return lines_;
    }
    bool contains(std::string_view text) const {
        for (const auto& line : lines())
            if (line.find(text) != std::string::npos) return true;
        return false;
    }

 private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

}  // namespace device_streams::test
