#include "common/tls/tls_traffic_keys.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cassert>
#include <limits>
#include <stdexcept>

namespace device_streams {

namespace {

constexpr std::string_view prefix = "tls13 ";

std::size_t hash_size(AeadSuite suite) {
    return suite == AeadSuite::aes_256_gcm ? 48 : 32;
}

}  // namespace

void expand_label(AeadSuite suite, std::span<const std::byte> secret, std::string_view label,
                  std::span<std::byte> out) {
    // HkdfLabel: length of the output, label and context with their lengths; then the number of HKDF's only block.
    std::array<unsigned char, 64> info{};
    assert(out.size() <= hash_size(suite) && prefix.size() + label.size() + 5 <= info.size());
    auto* end = info.data();
    *end++ = 0;
    *end++ = static_cast<unsigned char>(out.size());
    *end++ = static_cast<unsigned char>(prefix.size() + label.size());
    end = std::ranges::copy(prefix, end).out;
    end = std::ranges::copy(label, end).out;
    *end++ = 0;
    *end++ = 1;
    std::array<unsigned char, EVP_MAX_MD_SIZE> block;
    const auto* const hash = suite == AeadSuite::aes_256_gcm ? EVP_sha384() : EVP_sha256();
    if (HMAC(hash, secret.data(), static_cast<int>(secret.size()), info.data(),
             static_cast<std::size_t>(end - info.data()), block.data(), nullptr) == nullptr)
        throw std::runtime_error("OpenSSL could not derive a key");
    std::ranges::copy(std::as_bytes(std::span(block)).first(out.size()), out.begin());
    OPENSSL_cleanse(block.data(), block.size());
}

TrafficKeys::TrafficKeys(AeadSuite suite, std::span<const std::byte> secret, std::uint64_t sequence)
    : suite_(suite), sequence_(sequence) {
    if (secret.size() != hash_size(suite)) throw std::runtime_error("a traffic secret of another suite");
    std::ranges::copy(secret, secret_.begin());
    derive();
}

TrafficKeys::TrafficKeys(TrafficKeys&& other) noexcept {
    take(other);
}

TrafficKeys& TrafficKeys::operator=(TrafficKeys&& other) noexcept {
    if (this != &other) take(other);
    return *this;
}

void TrafficKeys::take(TrafficKeys& other) noexcept {
    suite_ = other.suite_;
    sequence_ = other.sequence_;
    secret_ = other.secret_;
    key_ = other.key_;
    iv_ = other.iv_;
    other.wipe();
}

// What is left seals nothing: its numbers are used up.
void TrafficKeys::wipe() noexcept {
    sequence_ = std::numeric_limits<std::uint64_t>::max();
    OPENSSL_cleanse(secret_.data(), secret_.size());
    OPENSSL_cleanse(key_.data(), key_.size());
    OPENSSL_cleanse(iv_.data(), iv_.size());
}

std::span<std::byte> TrafficKeys::secret() {
    return std::span(secret_).first(hash_size(suite_));
}

void TrafficKeys::derive() {
    expand_label(suite_, secret(), "key", std::span(key_).first(key_size(suite_)));
    expand_label(suite_, secret(), "iv", iv_);
}

void TrafficKeys::update() {
    std::array<std::byte, 48> next{};
    expand_label(suite_, secret(), "traffic upd", std::span(next).first(hash_size(suite_)));
    secret_ = next;
    OPENSSL_cleanse(next.data(), next.size());
    derive();
    sequence_ = 0;
}

AeadNonce TrafficKeys::next_nonce() {
    if (sequence_ == std::numeric_limits<std::uint64_t>::max())
        throw std::runtime_error("a TLS connection has used all of its record numbers");
    auto nonce = iv_;
    for (std::size_t i = 0; i < 8; ++i)
        nonce[nonce.size() - 1 - i] ^= static_cast<std::byte>(sequence_ >> (8 * i) & 0xff);
    ++sequence_;
    return nonce;
}

}  // namespace device_streams
