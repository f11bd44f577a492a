#pragma once

#include "common/net/byte_stream.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace device_streams::ws {

/// Bytes that came before anybody asked for them.
class KeptBytes {
 public:
    explicit KeptBytes(std::vector<std::byte> bytes = {}) : bytes_(std::move(bytes)) {}

    bool empty() const { return bytes_.empty(); }
    /// As many as there is room for; how many that were.
    std::size_t take(WritableBytes into) {
        const auto rest = ReadableBytes(bytes_).subspan(taken_);
        const auto size = std::min(rest.size(), into.size());
        std::ranges::copy(rest.first(size), into.begin());
        taken_ += size;
        if (size == rest.size()) *this = KeptBytes();
        return size;
    }

 private:
    std::vector<std::byte> bytes_;
    std::size_t taken_ = 0;
};

}  // namespace device_streams::ws
