#include "common/tls/aead.hpp"

#include "tests/unit/tls/record_sealer.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using test::Bytes;
using test::from_hex;
using test::raw_text;

std::vector<const AeadBackend*> backends() {
    std::vector<const AeadBackend*> all{&evp_backend()};
    if (ipsec_mb_backend() != nullptr) all.push_back(ipsec_mb_backend());
    return all;
}

struct Vector {
    AeadSuite suite;
    const char *key, *nonce, *header, *text, *sealed;
};

// The GCM specification's test cases 4 and 16, and RFC 8439 section 2.8.2.
const Vector vectors[] = {
    {AeadSuite::aes_128_gcm, "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
     "ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac97"
     "3d58e0915bc94fbc3221a5db94fae95ae7121a47"},
    {AeadSuite::aes_256_gcm, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
     "ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
     "bcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
    {AeadSuite::chacha20_poly1305, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
     "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c64206f66"
     "66657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f756c64206265"
     "2069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b29"
     "05d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b"
     "61161ae10b594f09e26a7e902ecbd0600691"},
};

AeadNonce nonce_of(const Bytes& bytes) {
    AeadNonce nonce;
    std::ranges::copy(bytes, nonce.begin());
    return nonce;
}

Bytes seal(const AeadBackend& backend, AeadSuite suite, const Bytes& key, const AeadNonce& nonce, const Bytes& header,
           const Bytes& text) {
    Bytes sealed(text.size() + aead_tag_size);
    AeadBatch(backend, suite, key, AeadDirection::seal)
        .seal(nonce, header, std::span(text).first(text.size() - 1), text.back(), sealed.data());
    return sealed;
}

TEST(Aead, EveryBackendPassesThePublishedVectors) {
    for (const auto& vector : vectors) {
        const auto key = from_hex(vector.key), header = from_hex(vector.header), text = from_hex(vector.text);
        const auto nonce = nonce_of(from_hex(vector.nonce));
        for (const auto* backend : backends()) {
            if (vector.suite == AeadSuite::chacha20_poly1305 && backend != &evp_backend()) continue;
            SCOPED_TRACE(backend->name());
            const auto sealed = seal(*backend, vector.suite, key, nonce, header, text);
            EXPECT_EQ(sealed, from_hex(vector.sealed));
            Bytes opened(text.size());
            AeadBatch batch(*backend, vector.suite, key, AeadDirection::open);
            EXPECT_TRUE(batch.open(nonce, header, sealed, opened.data(), opened.back()));
            EXPECT_EQ(opened, text);
        }
    }
}

TEST(Aead, BackendsAgreeInEveryLength) {
    if (ipsec_mb_backend() == nullptr) return;  // then there is one only
    for (const auto suite : {AeadSuite::aes_128_gcm, AeadSuite::aes_256_gcm}) {
        const Bytes key(key_size(suite), std::byte{0x5c});
        const auto header = raw_text("\x17\x03\x03\x01\x02");
        const AeadNonce nonce{std::byte{9}};
        std::vector<std::size_t> sizes{1000, 16383, 16384, 16385};
        for (std::size_t size = 1; size <= 300; ++size) sizes.push_back(size);
        for (const auto size : sizes) {
            Bytes text(size);
            for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<std::byte>(i * 7);
            EXPECT_EQ(seal(evp_backend(), suite, key, nonce, header, text),
                      seal(*ipsec_mb_backend(), suite, key, nonce, header, text))
                << size;
        }
    }
}

TEST(Aead, NothingIsLeftOfTextWhoseTagIsWrong) {
    for (const auto* backend : backends()) {
        SCOPED_TRACE(backend->name());
        const Bytes key(16, std::byte{3});
        const AeadNonce nonce{};
        const Bytes text(400, std::byte{'x'});
        const auto sealed = seal(*backend, AeadSuite::aes_128_gcm, key, nonce, raw_text("h"), text);
        AeadBatch batch(*backend, AeadSuite::aes_128_gcm, key, AeadDirection::open);
        for (std::size_t bit = 0; bit < 8 * sealed.size(); bit += 13) {
            auto wrong = sealed;
            wrong[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
            Bytes out(text.size(), std::byte{'?'});
            std::byte last{'?'};
            EXPECT_FALSE(batch.open(nonce, raw_text("h"), wrong, out.data(), last));
            EXPECT_EQ(last, std::byte{0});
            out.pop_back();
            EXPECT_EQ(out, Bytes(text.size() - 1));
        }
        Bytes out(text.size());
        EXPECT_FALSE(batch.open(nonce, raw_text("g"), sealed, out.data(), out.back()));
        EXPECT_TRUE(batch.open(nonce, raw_text("h"), sealed, out.data(), out.back()));
        EXPECT_EQ(out, text);
    }
}

}  // namespace
}  // namespace device_streams
