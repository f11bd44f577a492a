#include "common/tunnel/chunk.hpp"

#include <vector>

namespace device_streams {

namespace {
// Enough for the streams that move at the same moment; more than that are given back.
constexpr std::size_t kept_per_thread = 16;

std::vector<std::unique_ptr<std::byte[]>>& pool() {
    thread_local std::vector<std::unique_ptr<std::byte[]>> free_chunks;
    return free_chunks;
}
}  // namespace

Chunk::Chunk() {
    auto& free_chunks = pool();
    if (free_chunks.empty()) {
        memory_ = std::make_unique_for_overwrite<std::byte[]>(wanted_headroom + payload_size);
    } else {
        memory_ = std::move(free_chunks.back());
        free_chunks.pop_back();
    }
}

Chunk::~Chunk() {
    auto& free_chunks = pool();
    if (free_chunks.size() < kept_per_thread) free_chunks.push_back(std::move(memory_));
}

}  // namespace device_streams
