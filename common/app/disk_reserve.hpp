#pragma once

#include <cstdint>
#include <string>

namespace device_streams {

/// Room on a disk that is kept for what must not fail when the disk is full: a file that is shortened then.
class DiskReserve {
 public:
    static constexpr std::uint64_t whole = 8 * 1024 * 1024;  ///< bytes
    static constexpr std::uint64_t piece = 64 * 1024;        ///< bytes that are given up at a time

    /// Touches nothing yet. `file` is of mode 0600; empty: no reserve.
    explicit DiskReserve(std::string file);

    /// False: nothing is left to give up.
    bool give_up_piece() noexcept;
    /// Makes it, or makes it whole again, as far as there is room now.
    void fill() noexcept;

 private:
    const std::string file_;
    bool is_whole_ = false;
};

}  // namespace device_streams
