#pragma once

#include "common/tls/tls_records.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace device_streams::test {

using Bytes = std::vector<std::byte>;

inline Bytes raw_text(std::string_view text) {
    const auto raw = std::as_bytes(std::span(text));
    return {raw.begin(), raw.end()};
}

inline Bytes from_hex(std::string_view hex) {
    Bytes bytes;
    std::string digits;
    for (const char c : hex) {
        if (c == ' ' || c == '\n') continue;
        digits += c;
        if (digits.size() < 2) continue;
        bytes.push_back(static_cast<std::byte>(std::stoi(digits, nullptr, 16)));
        digits.clear();
    }
    return bytes;
}

inline Bytes test_secret(AeadSuite suite, int seed = 7) {
    Bytes secret(suite == AeadSuite::aes_256_gcm ? 48 : 32);
    for (std::size_t i = 0; i < secret.size(); ++i)
        secret[i] = static_cast<std::byte>(i * 5 + static_cast<std::size_t>(seed));
    return secret;
}

inline TrafficKeys test_keys(AeadSuite suite = AeadSuite::aes_128_gcm, std::uint64_t sequence = 0) {
    return {suite, test_secret(suite), sequence};
}

/// Seals whatever a test wants a peer to say, right or wrong.
struct RecordSealer {
    TrafficKeys keys = test_keys();
    std::byte outer_type{23};

    Bytes seal(int type, const Bytes& content, std::size_t padding = 0) {
        auto inner = content;
        inner.push_back(static_cast<std::byte>(type));
        inner.resize(inner.size() + padding);
        return seal_inner(inner);
    }

    /// `inner`: content, type and padding; not empty.
    Bytes seal_inner(const Bytes& inner) {
        const auto length = inner.size() + aead_tag_size;
        Bytes out{outer_type, std::byte{3}, std::byte{3}, static_cast<std::byte>(length >> 8),
                  static_cast<std::byte>(length & 0xff)};
        out.resize(record_header_size + length);
        AeadBatch batch(keys.suite(), keys.key(), AeadDirection::seal);
        batch.seal(keys.next_nonce(), std::span(out).first(record_header_size),
                   std::span(inner).first(inner.size() - 1), inner.back(), out.data() + record_header_size);
        return out;
    }

    Bytes data(std::string_view text, std::size_t padding = 0) { return seal(23, raw_text(text), padding); }
    Bytes alert(int code) { return seal(21, {std::byte{1}, static_cast<std::byte>(code)}); }
    Bytes key_update(int request) {
        auto sealed = seal(22, from_hex("18 00 00 01 0" + std::to_string(request)));
        keys.update();
        return sealed;
    }
};

/// The left one is sealed first, as the language has it for this operator.
inline Bytes operator<<(Bytes left, const Bytes& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

}  // namespace device_streams::test
