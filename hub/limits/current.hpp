#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace device_streams::hub {

/// A value that is replaced as a whole while others read it. Any thread.
template <typename Value>
class Current {
 public:
    explicit Current(Value value) : value_(std::make_shared<const Value>(std::move(value))) {}
    std::shared_ptr<const Value> get() const {
        const std::lock_guard lock(mutex_);
        return value_;
    }
    void set(Value value) {
        auto fresh = std::make_shared<const Value>(std::move(value));
        const std::lock_guard lock(mutex_);
        value_.swap(fresh);
    }

 private:
    mutable std::mutex mutex_;  // once per connection or request, never per byte
    std::shared_ptr<const Value> value_;
};

}  // namespace device_streams::hub
