#include "hub/identity/device_certificate.hpp"

#include "common/base/error.hpp"
#include "hub/identity/openssl_owner.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <limits>

namespace device_streams::hub {

namespace {

// Leaf, three intermediates, root.
constexpr int longest_chain = 4;
// OpenSSL's level 2: RSA from 2048 bits on, SHA-256 and what is as strong.
constexpr int security_level = 2;
constexpr int security_bits = 112;

void free_stack(STACK_OF(X509) * certificates) {
    sk_X509_pop_free(certificates, X509_free);
}
using Certificates = Owner<STACK_OF(X509), free_stack>;
using Bio = Owner<BIO, BIO_free>;
using Verification = Owner<X509_STORE_CTX, X509_STORE_CTX_free>;

Certificates parse(const std::string& ders) {
    Certificates all(sk_X509_new_null());
    const auto* at = reinterpret_cast<const unsigned char*>(ders.data());
    const auto* const end = at + ders.size();
    while (at < end) {
        X509* const next = d2i_X509(nullptr, &at, end - at);
        if (next == nullptr || sk_X509_push(all.get(), next) == 0) return nullptr;
    }
    return all;
}

Certificates read_bundle(const std::string& file) {
    const Bio in(BIO_new_file(file.c_str(), "r"));
    if (!in) throw Failure(Errc::file_unreadable, file + ": " + std::strerror(errno));
    Certificates all(sk_X509_new_null());
    while (X509* const next = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) sk_X509_push(all.get(), next);
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (!at_end) throw Failure(Errc::certificate_unusable, file + " holds a certificate that is not PEM");
    if (sk_X509_num(all.get()) == 0) throw Failure(Errc::certificate_unusable, file + " holds no certificate");
    return all;
}

std::string subject_of(const X509* certificate) {
    std::array<char, 256> text{};
    X509_NAME_oneline(X509_get_subject_name(certificate), text.data(), text.size());
    return text.data();
}

std::string weakness_of(X509* certificate) {
    const auto* key = X509_get0_pubkey(certificate);
    if (key == nullptr || EVP_PKEY_get_security_bits(key) < security_bits) return "its key is too short";
    int bits = 0;
    const bool known = X509_get_signature_info(certificate, nullptr, nullptr, &bits, nullptr) == 1;
    return known && bits >= security_bits ? "" : "its signature is made with a hash that is broken";
}

void find_authority(DeviceCertificate& found, X509_STORE* store, X509* leaf, STACK_OF(X509) * issuers,
                    std::int64_t now) {
    const Verification checking(X509_STORE_CTX_new());
    X509_STORE_CTX_init(checking.get(), store, leaf, issuers);
    X509_STORE_CTX_set_purpose(checking.get(), X509_PURPOSE_SSL_CLIENT);
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(checking.get()), security_level);
    X509_STORE_CTX_set_depth(checking.get(), longest_chain);
    X509_STORE_CTX_set_time(checking.get(), 0, static_cast<std::time_t>(now));
    if (X509_verify_cert(checking.get()) != 1) {
        found.why_no_authority = X509_verify_cert_error_string(X509_STORE_CTX_get_error(checking.get()));
        ERR_clear_error();
        return;
    }
    const auto* chain = X509_STORE_CTX_get0_chain(checking.get());
    found.chain_ends = std::numeric_limits<std::int64_t>::max();
    for (int i = 0; i < sk_X509_num(chain); ++i)
        found.chain_ends = std::min(found.chain_ends, facts_of(sk_X509_value(chain, i)).not_after);
    found.authority = facts_of(sk_X509_value(chain, sk_X509_num(chain) - 1)).sha256;
}

}  // namespace

DeviceAuthorities::DeviceAuthorities() : store_(X509_STORE_new(), X509_STORE_free) {
    X509_STORE_set_flags(store_.get(), X509_V_FLAG_PARTIAL_CHAIN);
}

DeviceAuthorities::DeviceAuthorities(const std::string& pem_file) : DeviceAuthorities() {
    const auto bundle = read_bundle(pem_file);
    for (int i = 0; i < sk_X509_num(bundle.get()); ++i) {
        X509* const authority = sk_X509_value(bundle.get(), i);
        if (X509_check_ca(authority) == 0)
            throw Failure(Errc::certificate_unusable, pem_file + ": " + subject_of(authority) + " is not a CA");
        X509_STORE_add_cert(store_.get(), authority);
        ids_.push_back(facts_of(authority).sha256);
    }
}

std::optional<DeviceCertificate> DeviceAuthorities::examine(const ClientCertificate& shown, std::int64_t now) const {
    const auto own = parse(shown.der);
    const auto issuers = parse(shown.issuers);
    if (!own || !issuers || sk_X509_num(own.get()) != 1) {
        ERR_clear_error();
        return std::nullopt;
    }
    X509* const leaf = sk_X509_value(own.get(), 0);
    DeviceCertificate found;
    found.own = facts_of(leaf);
    found.weakness = weakness_of(leaf);
    ERR_clear_error();
    if (ids_.empty())
        found.why_no_authority = "this hub has no device_ca";
    else
        find_authority(found, store_.get(), leaf, issuers.get(), now);
    return found;
}

}  // namespace device_streams::hub
