#pragma once

#include "common/tls/aead.hpp"

#include <string_view>

namespace device_streams {

/// HKDF-Expand-Label with an empty context (RFC 8446 section 7.1): fills `out`, at most one hash long. The hash is the
/// suite's. Throws std::runtime_error.
void expand_label(AeadSuite suite, std::span<const std::byte> secret, std::string_view label, std::span<std::byte> out);

/// The keys of one direction of a TLS 1.3 connection, and how many records they have protected. Can be moved but not
/// copied, as two that count alike would use a nonce twice; wiped when it is dropped or moved from.
class TrafficKeys {
 public:
    /// `secret`: the traffic secret (RFC 8446 section 7.1), as long as the suite's hash.
    TrafficKeys(AeadSuite suite, std::span<const std::byte> secret, std::uint64_t sequence);
    ~TrafficKeys() { wipe(); }
    TrafficKeys(TrafficKeys&& other) noexcept;
    TrafficKeys& operator=(TrafficKeys&& other) noexcept;

    AeadSuite suite() const { return suite_; }
    std::span<const std::byte> key() const { return std::span(key_).first(key_size(suite_)); }
    /// Of the next record; each call counts it. Throws std::runtime_error where no number is left.
    AeadNonce next_nonce();
    std::uint64_t sequence() const { return sequence_; }
    /// The next generation (RFC 8446 section 7.2).
    void update();

 private:
    void derive();
    void wipe() noexcept;
    void take(TrafficKeys& other) noexcept;
    std::span<std::byte> secret();

    AeadSuite suite_;
    std::uint64_t sequence_;
    std::array<std::byte, 48> secret_{};
    std::array<std::byte, 32> key_{};
    AeadNonce iv_{};
};

}  // namespace device_streams
