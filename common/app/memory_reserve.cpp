#include "common/app/memory_reserve.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace device_streams {

namespace {

// Several threads may be short of memory at a time. A piece is never touched, so it costs no page.
constexpr std::size_t piece_size = 256 * 1024;  // bytes
std::array<std::atomic<void*>, 32> pieces{};
std::atomic<bool> is_kept = false;
std::atomic<bool> is_whole = false;

// Called by operator new before it tries again.
void give_up_piece() {
    is_whole = false;
    for (auto& piece : pieces) {
        void* const given_up = piece.exchange(nullptr);
        if (given_up == nullptr) continue;
        std::free(given_up);
        return;
    }
    throw std::bad_alloc();
}

bool refill(std::atomic<void*>& piece) {
    if (piece != nullptr) return true;
    void* const fresh = std::malloc(piece_size);
    if (fresh == nullptr) return false;
    void* none = nullptr;
    if (!piece.compare_exchange_strong(none, fresh)) std::free(fresh);
    return true;
}

}  // namespace

void keep_memory_reserve() {
    is_whole = std::ranges::all_of(pieces, refill);
    is_kept = true;
    std::set_new_handler(give_up_piece);
}

bool is_memory_short() {
    if (!is_kept || is_whole) return false;
    is_whole = std::ranges::all_of(pieces, refill);
    return !is_whole;
}

}  // namespace device_streams
