#pragma once

#include "common/net/byte_stream.hpp"

#include <cstddef>
#include <memory>

namespace device_streams {

/// A buffer on loan from the thread's pool: headroom and as much payload as fills 64 KiB together with a masked
/// WebSocket header, which TLS turns into exactly four full records.
class Chunk {
 public:
    static constexpr std::size_t payload_size = 64 * 1024 - 8;

    Chunk();
    ~Chunk();
    Chunk(const Chunk&) = delete;
    Chunk& operator=(const Chunk&) = delete;

    WritableBytes room() { return {memory_.get() + wanted_headroom, payload_size}; }
    OutBytes filled(std::size_t size) { return {room().first(size), wanted_headroom}; }

 private:
    std::unique_ptr<std::byte[]> memory_;
};

}  // namespace device_streams
