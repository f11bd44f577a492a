#include "tests/support/client_certificates.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace device_streams::test {

namespace {

template <typename T>
using Owned = std::unique_ptr<T, void (*)(T*)>;
using Key = Owned<EVP_PKEY>;
using Certificate = Owned<X509>;

void free_bio(BIO* bio) {
    BIO_free(bio);
}

template <typename Write>
std::string written(Write write) {
    const Owned<BIO> out(BIO_new(BIO_s_mem()), free_bio);
    if (write(out.get()) != 1) throw std::runtime_error("OpenSSL cannot write");
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

Key read_key(const std::string& pem) {
    const Owned<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), free_bio);
    return {PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
}

Certificate read_certificate(const std::string& pem) {
    const Owned<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), free_bio);
    return {PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), X509_free};
}

void extend(X509* certificate, int nid, const std::string& value) {
    const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()),
                                          X509_EXTENSION_free);
    X509_add_ext(certificate, extension.get(), -1);
}

// A modulus that nobody knows the factors of costs no time to make.
Key invented_rsa_key(int bits, const BIGNUM* exponent) {
    const Owned<BIGNUM> modulus(BN_new(), BN_free);
    BN_rand(modulus.get(), bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
    const Owned<OSSL_PARAM_BLD> parts(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
    OSSL_PARAM_BLD_push_BN(parts.get(), "n", modulus.get());
    OSSL_PARAM_BLD_push_BN(parts.get(), "e", exponent);
    const Owned<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(parts.get()), OSSL_PARAM_free);
    const Owned<EVP_PKEY_CTX> making(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr), EVP_PKEY_CTX_free);
    EVP_PKEY* key = nullptr;
    EVP_PKEY_fromdata_init(making.get());
    if (EVP_PKEY_fromdata(making.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
        throw std::runtime_error("OpenSSL takes no such key");
    return {key, EVP_PKEY_free};
}

Key make_key(const CertificateWish& wish) {
    if (wish.rsa_bits == 0) return {EVP_EC_gen("P-256"), EVP_PKEY_free};
    if (wish.rsa_bits <= 4096 && wish.rsa_exponent != 0)
        return {EVP_RSA_gen(static_cast<unsigned>(wish.rsa_bits)), EVP_PKEY_free};
    const Owned<BIGNUM> exponent(BN_new(), BN_free);
    BN_set_word(exponent.get(), wish.rsa_exponent != 0 ? wish.rsa_exponent : 0x1'0000'0001);
    return invented_rsa_key(wish.rsa_bits, exponent.get());
}

}  // namespace

MadeCertificate make_certificate(const CertificateWish& wish) {
    static long serial = 0;
    const Key key = make_key(wish);
    const auto* const hash = EVP_get_digestbyname(wish.hash.c_str());
    const Certificate made(X509_new(), X509_free);
    X509* const x509 = made.get();
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
    ASN1_TIME_set(X509_getm_notBefore(x509), wish.not_before);
    ASN1_TIME_set(X509_getm_notAfter(x509), wish.not_after);
    auto* const name = X509_get_subject_name(x509);
    for (const auto& text : wish.common_names)
        X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()),
                                   -1, 0);
    X509_set_pubkey(x509, key.get());
    extend(x509, NID_basic_constraints, wish.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (wish.authority) extend(x509, NID_key_usage, "critical,keyCertSign");
    if (!wish.extended_key_usage.empty()) extend(x509, NID_ext_key_usage, wish.extended_key_usage);
    if (!wish.alternative_names.empty()) extend(x509, NID_subject_alt_name, wish.alternative_names);
    if (wish.issuer != nullptr) {
        X509_set_issuer_name(x509, X509_get_subject_name(read_certificate(wish.issuer->certificate).get()));
        X509_sign(x509, read_key(wish.issuer->key).get(), hash);
    } else {
        X509_set_issuer_name(x509, name);
        X509_sign(x509, key.get(), hash);
    }
    const bool has_private_half = wish.rsa_bits <= 4096 && wish.rsa_exponent != 0;
    return {written([&](BIO* out) { return PEM_write_bio_X509(out, x509); }), written([&](BIO* out) {
                if (!has_private_half) return 1;
                return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
            }),
            written([&](BIO* out) { return i2d_X509_bio(out, x509); })};
}

std::string encrypted_key(const MadeCertificate& made, const std::string& passphrase) {
    const auto key = read_key(made.key);
    return written([&](BIO* out) {
        return PEM_write_bio_PKCS8PrivateKey(out, key.get(), EVP_aes_256_cbc(), passphrase.data(),
                                             static_cast<int>(passphrase.size()), nullptr, nullptr);
    });
}

}  // namespace device_streams::test
