#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

namespace device_streams::test {

/// Bytes that say where they belong: any loss, repetition or swap changes them, within a stream and between two.
inline std::string pattern(std::size_t size, unsigned stream = 0) {
    std::string text(size, '\0');
    std::uint32_t state = stream * 2'654'435'761U + 1;
    std::ranges::generate(text, [&] {
        state = state * 1'664'525U + 1'013'904'223U;
        return static_cast<char>(state >> 24);
    });
    return text;
}

}  // namespace device_streams::test
