// Debian 12's OpenSSL computes AES-GCM at a quarter of what VAES gives; later ones do not need this library.
#include "common/tls/aead.hpp"

#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <openssl/rand.h>

#include <algorithm>
#include <dlfcn.h>
#include <optional>
#include <vector>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace device_streams {

namespace {

// The library's structures have 1,008 and 88 bytes in the version below.
struct alignas(64) ExpandedKey {
    std::byte room[2048];
};
struct alignas(64) Progress {
    std::byte room[256];
};

// The functions of one key size; the library's own header is not needed for them.
struct Functions {
    void (*expand)(const void* key, ExpandedKey*);
    void (*begin)(const ExpandedKey*, Progress*, const std::uint8_t* nonce, const std::uint8_t* header,
                  std::uint64_t header_size);
    void (*encrypt)(const ExpandedKey*, Progress*, std::uint8_t* out, const std::uint8_t* in, std::uint64_t size);
    void (*encrypted)(const ExpandedKey*, Progress*, std::uint8_t* tag, std::uint64_t size);
    void (*decrypt)(const ExpandedKey*, Progress*, std::uint8_t* out, const std::uint8_t* in, std::uint64_t size);
    void (*decrypted)(const ExpandedKey*, Progress*, std::uint8_t* tag, std::uint64_t size);
};

// Of the thread, for one batch.
struct Working {
    ExpandedKey key;
    Progress progress;
    const Functions* functions = nullptr;
};
thread_local Working working;

const std::uint8_t* octets(std::span<const std::byte> bytes) {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
}
std::uint8_t* octets(std::byte* bytes) {
    return reinterpret_cast<std::uint8_t*>(bytes);
}

class IpsecMb final : public AeadBackend {
 public:
    IpsecMb(Functions with_128, Functions with_256) : with_128_(with_128), with_256_(with_256) {}

    std::string name() const override { return "ipsec-mb 1.3.0"; }

    void expand(AeadSuite suite, std::span<const std::byte> key, AeadDirection) const override {
        working.functions = suite == AeadSuite::aes_128_gcm ? &with_128_ : &with_256_;
        working.functions->expand(key.data(), &working.key);
    }

    bool seal(const AeadNonce& nonce, std::span<const std::byte> header, std::span<const std::byte> plain,
              std::byte last, std::byte* out) const override {
        const auto& call = *working.functions;
        call.begin(&working.key, &working.progress, octets(nonce), octets(header), header.size());
        if (!plain.empty()) call.encrypt(&working.key, &working.progress, octets(out), octets(plain), plain.size());
        call.encrypt(&working.key, &working.progress, octets(out + plain.size()), octets({&last, 1}), 1);
        call.encrypted(&working.key, &working.progress, octets(out + plain.size() + 1), aead_tag_size);
        return true;
    }

    bool open(const AeadNonce& nonce, std::span<const std::byte> header, std::span<const std::byte> sealed,
              std::byte* out, std::byte& last) const override {
        const auto& call = *working.functions;
        const auto text = sealed.first(sealed.size() - aead_tag_size);
        const auto body = text.first(text.size() - 1);
        std::array<std::uint8_t, aead_tag_size> tag;
        call.begin(&working.key, &working.progress, octets(nonce), octets(header), header.size());
        if (!body.empty()) call.decrypt(&working.key, &working.progress, octets(out), octets(body), body.size());
        call.decrypt(&working.key, &working.progress, octets(&last), octets(text.last(1)), 1);
        call.decrypted(&working.key, &working.progress, tag.data(), tag.size());
        return CRYPTO_memcmp(tag.data(), sealed.data() + text.size(), tag.size()) == 0;
    }

    void wipe() const noexcept override { OPENSSL_cleanse(&working, sizeof working); }

 private:
    Functions with_128_, with_256_;
};

bool has_instructions() {
#if defined(__x86_64__)
    // VAES by hand, as clang 14 has no name for it.
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("vpclmulqdq") && __get_cpuid_count(7, 0, &a, &b, &c, &d) == 1 && (c & bit_VAES) != 0;
#else
    return false;
#endif
}

template <class Function>
bool load(void* library, const std::string& name, Function& into) {
    into = reinterpret_cast<Function>(::dlsym(library, name.c_str()));
    return into != nullptr;
}

std::optional<Functions> load_functions(void* library, const std::string& bits) {
    const std::string variant = bits + "_vaes_avx512", updates = bits + "_update_vaes_avx512",
                      ends = bits + "_finalize_vaes_avx512";
    Functions loaded{};
    const bool complete = load(library, "aes_gcm_pre_" + variant, loaded.expand) &&
                          load(library, "aes_gcm_init_" + variant, loaded.begin) &&
                          load(library, "aes_gcm_enc_" + updates, loaded.encrypt) &&
                          load(library, "aes_gcm_enc_" + ends, loaded.encrypted) &&
                          load(library, "aes_gcm_dec_" + updates, loaded.decrypt) &&
                          load(library, "aes_gcm_dec_" + ends, loaded.decrypted);
    return complete ? std::optional(loaded) : std::nullopt;
}

std::vector<std::byte> sealed_by(const AeadBackend& backend, AeadSuite suite, std::span<const std::byte> key,
                                 const AeadNonce& nonce, std::span<const std::byte> plain) {
    std::vector<std::byte> out(plain.size() + 1 + aead_tag_size);
    AeadBatch(backend, suite, key, AeadDirection::seal)
        .seal(nonce, plain.first(std::min<std::size_t>(5, plain.size())), plain, std::byte{23}, out.data());
    return out;
}

// Lengths around every edge of the vector code, and a few that a record may have.
bool agrees_with_evp(const IpsecMb& candidate, AeadSuite suite) {
    std::array<std::byte, 32> key;
    AeadNonce nonce;
    std::vector<std::byte> plain(16'384);
    RAND_bytes(octets(key.data()), sizeof key);
    RAND_bytes(octets(nonce.data()), sizeof nonce);
    RAND_bytes(octets(plain.data()), static_cast<int>(plain.size()));
    const auto short_key = std::span(key).first(key_size(suite));
    const auto agrees = [&](std::size_t size) {
        const auto text = std::span<const std::byte>(plain).first(size);
        auto sealed = sealed_by(candidate, suite, short_key, nonce, text);
        if (sealed != sealed_by(evp_backend(), suite, short_key, nonce, text)) return false;
        std::vector<std::byte> opened(size + 1);
        AeadBatch batch(candidate, suite, short_key, AeadDirection::open);
        const auto header = text.first(std::min<std::size_t>(5, size));
        if (!batch.open(nonce, header, sealed, opened.data(), opened.back())) return false;
        if (!std::equal(text.begin(), text.end(), opened.begin()) || opened.back() != std::byte{23}) return false;
        sealed[size / 2] ^= std::byte{1};
        return !batch.open(nonce, header, sealed, opened.data(), opened.back());
    };
    for (std::size_t size = 0; size < 300; size += 3)
        if (!agrees(size)) return false;
    return agrees(1'000) && agrees(4'096) && agrees(16'383) && agrees(16'384);
}

bool passes_tests(const IpsecMb& candidate) {
    return agrees_with_evp(candidate, AeadSuite::aes_128_gcm) && agrees_with_evp(candidate, AeadSuite::aes_256_gcm);
}

constexpr unsigned tested_version = 1 << 16 | 3 << 8;  // 1.3.0

const IpsecMb* load_ipsec_mb() {
    // Later versions of OpenSSL have the same instructions.
    if (!has_instructions() || OPENSSL_version_major() != 3 || OPENSSL_version_minor() != 0) return nullptr;
    void* const library = ::dlopen("libIPSec_MB.so.1", RTLD_NOW | RTLD_LOCAL);
    unsigned (*version)() = nullptr;
    if (library == nullptr || !load(library, "imb_get_version", version) || version() != tested_version) return nullptr;
    const auto with_128 = load_functions(library, "128"), with_256 = load_functions(library, "256");
    if (!with_128 || !with_256) return nullptr;
    static const IpsecMb loaded(*with_128, *with_256);
    return passes_tests(loaded) ? &loaded : nullptr;
}

}  // namespace

const AeadBackend* ipsec_mb_backend() {
    static const IpsecMb* const found = load_ipsec_mb();
    return found;
}

}  // namespace device_streams
