#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

namespace device_streams {

/// A key, token or password. Prints as ***, is wiped when dropped, and must be asked for its text by name.
class Secret {
 public:
    Secret() = default;
    explicit Secret(std::string text) : text_(std::move(text)) {}
    Secret(const Secret&) = default;
    // Copies, as a short text that is moved stays behind.
    Secret(Secret&& other) noexcept : text_(other.text_) {  // NOLINT(performance-move-constructor-init)
        other.wipe();
    }
    Secret& operator=(const Secret& other);
    Secret& operator=(Secret&& other) noexcept;
    ~Secret() { wipe(); }

    std::string_view reveal() const { return text_; }
    bool empty() const { return text_.empty(); }
    /// Compares in time that depends on the lengths only.
    friend bool operator==(const Secret& left, const Secret& right);

 private:
    void wipe() noexcept;
    std::string text_;
};

std::ostream& operator<<(std::ostream& out, const Secret&);

}  // namespace device_streams
