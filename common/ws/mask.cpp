#include "common/ws/mask.hpp"

#include "common/base/error.hpp"

#include <openssl/rand.h>

#include <cstring>

namespace device_streams::ws {

void apply_mask(WritableBytes bytes, const MaskingKey& key, std::uint64_t offset) {
    std::array<std::byte, 8> turned;
    for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = key[(offset + i) % key.size()];
    std::uint64_t word_key = 0;
    std::memcpy(&word_key, turned.data(), sizeof word_key);
    std::byte* at = bytes.data();
    std::byte* const words_end = at + bytes.size() / sizeof word_key * sizeof word_key;
    for (; at != words_end; at += sizeof word_key) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        word ^= word_key;
        std::memcpy(at, &word, sizeof word);
    }
    const auto rest = bytes.size() % sizeof word_key;
    for (std::size_t i = 0; i < rest; ++i) at[i] ^= turned[i];
}

MaskingKey fresh_masking_key() {
    struct Block {
        std::array<unsigned char, 4096> bytes;
        std::size_t used = sizeof bytes;
    };
    thread_local Block block;
    if (block.used == block.bytes.size()) {
        if (RAND_bytes(block.bytes.data(), static_cast<int>(block.bytes.size())) != 1)
            throw Failure(Errc::internal, "the system gives no random bytes");
        block.used = 0;
    }
    MaskingKey key;
    std::memcpy(key.data(), block.bytes.data() + block.used, key.size());
    block.used += key.size();
    return key;
}

}  // namespace device_streams::ws
