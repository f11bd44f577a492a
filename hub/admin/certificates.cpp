#include "hub/admin/certificates.hpp"

#include "common/base/error.hpp"
#include "common/text/ascii.hpp"
#include "hub/identity/openssl_owner.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>

namespace device_streams::hub {

namespace {

using Key = Owner<EVP_PKEY, EVP_PKEY_free>;
using Certificate = Owner<X509, X509_free>;
using Bio = Owner<BIO, BIO_free>;
using Name = Owner<X509_NAME, X509_NAME_free>;
using Serial = Owner<ASN1_INTEGER, ASN1_INTEGER_free>;
using Number = Owner<BIGNUM, BN_free>;
using Extension = Owner<X509_EXTENSION, X509_EXTENSION_free>;
using AlternativeNames = Owner<GENERAL_NAMES, GENERAL_NAMES_free>;

constexpr auto authority_lifetime = std::chrono::days(3652);
constexpr auto server_lifetime = std::chrono::days(825);

[[noreturn]] void fail(const std::string& during) {
    const char* reason = ERR_reason_error_string(ERR_get_error());
    ERR_clear_error();
    throw Failure(Errc::certificate_unusable, during + (reason ? std::string(": ") + reason : ""));
}

template <typename Result>
Result require(Result result, const std::string& during) {
    if (!result) fail(during);
    return result;
}

Bio memory() {
    return Bio(require(BIO_new(BIO_s_secmem()), "memory"));
}

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string to_pem(X509* certificate) {
    const auto out = memory();
    require(PEM_write_bio_X509(out.get(), certificate), "write certificate");
    return text_of(out.get());
}

Secret to_pem(EVP_PKEY* key) {
    const auto out = memory();
    require(PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr), "write key");
    return Secret(text_of(out.get()));
}

Certificate read_certificate(std::string_view pem) {
    const Bio in(require(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), "memory"));
    return Certificate(require(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), "read the CA's certificate"));
}

Key read_key(const Secret& pem) {
    const auto text = pem.reveal();
    const Bio in(require(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), "memory"));
    return Key(require(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), "read the CA's key"));
}

// RFC 5280 section 4.1.2.2: positive and at most 20 octets; 16 random ones never repeat.
void set_serial(X509* certificate) {
    std::array<unsigned char, 16> bytes{};
    require(RAND_bytes(bytes.data(), bytes.size()) == 1, "random serial");
    bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 0x40);
    const Number number(require(BN_bin2bn(bytes.data(), bytes.size(), nullptr), "serial"));
    const Serial serial(require(BN_to_ASN1_INTEGER(number.get(), nullptr), "serial"));
    require(X509_set_serialNumber(certificate, serial.get()), "serial");
}

void set_validity(X509* certificate, Clock::wall_time now, Clock::duration lifetime) {
    const auto first = std::chrono::system_clock::to_time_t(now - std::chrono::days(1));
    const auto last = std::chrono::system_clock::to_time_t(
        now - std::chrono::days(1) + std::chrono::duration_cast<std::chrono::system_clock::duration>(lifetime));
    require(ASN1_TIME_set(X509_getm_notBefore(certificate), first), "validity");
    require(ASN1_TIME_set(X509_getm_notAfter(certificate), last), "validity");
}

Name common_name(const std::string& text) {
    Name name(require(X509_NAME_new(), "name"));
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    require(X509_NAME_add_entry_by_NID(name.get(), NID_commonName, MBSTRING_UTF8, bytes, static_cast<int>(text.size()),
                                       -1, 0),
            "common name " + text);
    return name;
}

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const Extension extension(require(X509V3_EXT_conf_nid(nullptr, &context, nid, value), OBJ_nid2sn(nid)));
    require(X509_add_ext(certificate, extension.get(), -1), OBJ_nid2sn(nid));
}

bool is_host_name(const std::string& text) {
    constexpr std::string_view digits = "0123456789.";
    const bool edges_fit = !text.empty() && text.front() != '.' && text.front() != '-' && text.back() != '.';
    const bool some_letter = text.find_first_not_of(digits) != std::string::npos;  // else a mistyped address
    return edges_fit && some_letter && text.size() <= 253 && consists_of_alphanumerics_and(text, "-.");
}

void add_alternative_name(GENERAL_NAMES* names, const std::string& text) {
    GENERAL_NAME* name = require(GENERAL_NAME_new(), "alternative name");
    sk_GENERAL_NAME_push(names, name);
    if (ASN1_OCTET_STRING* address = a2i_IPADDRESS(text.c_str())) {
        GENERAL_NAME_set0_value(name, GEN_IPADD, address);
        return;
    }
    ERR_clear_error();
    if (!is_host_name(text)) throw Failure(Errc::usage, "'" + text + "' is neither a host name nor an IP address");
    ASN1_IA5STRING* host = require(ASN1_IA5STRING_new(), "alternative name");
    GENERAL_NAME_set0_value(name, GEN_DNS, host);
    require(ASN1_STRING_set(host, text.data(), static_cast<int>(text.size())), "alternative name");
}

// Everything but the extensions and the signature.
Certificate draft(const std::string& name, EVP_PKEY* key, Clock::wall_time now, Clock::duration lifetime) {
    Certificate certificate(require(X509_new(), "certificate"));
    require(X509_set_version(certificate.get(), X509_VERSION_3), "version");
    set_serial(certificate.get());
    set_validity(certificate.get(), now, lifetime);
    require(X509_set_subject_name(certificate.get(), common_name(name).get()), "subject");
    require(X509_set_pubkey(certificate.get(), key), "public key");
    return certificate;
}

}  // namespace

CertifiedKey make_authority(const std::string& name, Clock::wall_time now) {
    const Key key(require(EVP_EC_gen("P-256"), "make a key"));
    const auto certificate = draft(name, key.get(), now, authority_lifetime);
    X509* const self = certificate.get();
    require(X509_set_issuer_name(self, X509_get_subject_name(self)), "issuer");
    add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(self, self, NID_subject_key_identifier, "hash");
    add_extension(self, self, NID_authority_key_identifier, "keyid:always");
    require(X509_sign(self, key.get(), EVP_sha256()), "sign");
    return {to_pem(self), to_pem(key.get())};
}

CertifiedKey issue_server_certificate(const CertifiedKey& authority, const std::vector<std::string>& names,
                                      Clock::wall_time now) {
    const auto issuer = read_certificate(authority.certificate);
    const auto issuer_key = read_key(authority.key);
    const AlternativeNames alternatives(require(GENERAL_NAMES_new(), "alternative names"));
    for (const auto& name : names) add_alternative_name(alternatives.get(), name);
    if (names.empty()) throw Failure(Errc::usage, "a server certificate needs a name");

    const Key key(require(EVP_EC_gen("P-256"), "make a key"));
    // Longer common names do not exist; clients look at the alternative names only.
    const auto certificate =
        draft(names.front().size() <= 64 ? names.front() : "stream-hub", key.get(), now, server_lifetime);
    X509* const self = certificate.get();
    require(X509_set_issuer_name(self, X509_get_subject_name(issuer.get())), "issuer");
    add_extension(self, issuer.get(), NID_basic_constraints, "critical,CA:FALSE");
    add_extension(self, issuer.get(), NID_key_usage, "critical,digitalSignature");
    add_extension(self, issuer.get(), NID_ext_key_usage, "serverAuth");
    add_extension(self, issuer.get(), NID_subject_key_identifier, "hash");
    add_extension(self, issuer.get(), NID_authority_key_identifier, "keyid:always");
    require(X509_add1_ext_i2d(self, NID_subject_alt_name, alternatives.get(), 0, 0) == 1, "alternative names");
    require(X509_sign(self, issuer_key.get(), EVP_sha256()), "sign");
    return {to_pem(self), to_pem(key.get())};
}

}  // namespace device_streams::hub
