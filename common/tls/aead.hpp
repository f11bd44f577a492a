#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace device_streams {

/// The ciphers of TLS 1.3 that the record plane knows (RFC 8446 appendix B.4).
enum class AeadSuite : std::uint8_t { aes_128_gcm, aes_256_gcm, chacha20_poly1305 };
constexpr std::size_t key_size(AeadSuite suite) {
    return suite == AeadSuite::aes_128_gcm ? 16 : 32;
}
constexpr std::size_t aead_tag_size = 16;
using AeadNonce = std::array<std::byte, 12>;

enum class AeadDirection { seal, open };

/// Who computes authenticated encryption (RFC 5116). Stateless but for the key, of which each thread has one at a time:
/// see AeadBatch.
class AeadBackend {
 public:
    virtual ~AeadBackend() = default;
    /// As logs and `--version --verbose` name it.
    virtual std::string name() const = 0;
    /// `key` has key_size(suite) bytes. Throws std::bad_alloc.
    virtual void expand(AeadSuite suite, std::span<const std::byte> key, AeadDirection direction) const = 0;
    /// See AeadBatch; false: it failed.
    virtual bool seal(const AeadNonce& nonce, std::span<const std::byte> header, std::span<const std::byte> plain,
                      std::byte last, std::byte* out) const = 0;
    virtual bool open(const AeadNonce& nonce, std::span<const std::byte> header, std::span<const std::byte> sealed,
                      std::byte* out, std::byte& last) const = 0;
    virtual void wipe() const noexcept = 0;
};

/// What serves AES-GCM in this process: ipsec-mb where this CPU and its library pass their tests, else EVP. Chosen
/// once. DEVICE_STREAMS_RECORD_PLANE_BACKEND=evp in the environment forces EVP, for measurements and tests.
const AeadBackend& aead_backend();
/// OpenSSL's. It serves every suite.
const AeadBackend& evp_backend();
/// libIPSec_MB's AES-GCM for CPUs with AVX-512 and VAES; nullptr: it is not here, or it failed its tests.
const AeadBackend* ipsec_mb_backend();

/// One key of one thread, expanded for a few records and wiped behind them. No two of a thread overlap.
class AeadBatch {
 public:
    AeadBatch(AeadSuite suite, std::span<const std::byte> key, AeadDirection direction);
    AeadBatch(const AeadBackend& backend, AeadSuite suite, std::span<const std::byte> key, AeadDirection direction);
    ~AeadBatch() { backend_.wipe(); }
    AeadBatch(const AeadBatch&) = delete;
    AeadBatch& operator=(const AeadBatch&) = delete;

    /// Encrypts `plain` and behind it the byte `last` to plain.size() + 1 bytes and a tag at `out`, which may not
    /// overlap. `header` is authenticated too. Throws std::runtime_error, with nothing of it in `out`.
    void seal(const AeadNonce& nonce, std::span<const std::byte> header, std::span<const std::byte> plain,
              std::byte last, std::byte* out);
    /// The opposite: sealed.size() - 17 bytes to `out`, and `last`. False: it was not sealed so, and `out` is wiped.
    /// `sealed` has at least 17 bytes.
    [[nodiscard]] bool open(const AeadNonce& nonce, std::span<const std::byte> header,
                            std::span<const std::byte> sealed, std::byte* out, std::byte& last);

 private:
    const AeadBackend& backend_;
};

}  // namespace device_streams
