#include "hub/admin/certificates.hpp"

#include "common/base/error.hpp"
#include "hub/identity/openssl_owner.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace device_streams::hub::certificates_test {
namespace {

const Clock::wall_time now{std::chrono::seconds(1'767'225'600)};  // 2026-01-01
constexpr auto day = std::chrono::hours(24);

using Bio = Owner<BIO, BIO_free>;
using Certificate = Owner<X509, X509_free>;
using Store = Owner<X509_STORE, X509_STORE_free>;
using Verification = Owner<X509_STORE_CTX, X509_STORE_CTX_free>;
using Key = Owner<EVP_PKEY, EVP_PKEY_free>;

Bio reader(std::string_view pem) {
    return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}
Certificate parse(const CertifiedKey& pair) {
    return Certificate(PEM_read_bio_X509(reader(pair.certificate).get(), nullptr, nullptr, nullptr));
}

// The verdict of a strict TLS client that trusts `authority` and asks for `host` or `address`.
int verify(const CertifiedKey& authority, const CertifiedKey& server, const char* host, const char* address,
           Clock::wall_time when = now) {
    const auto trusted = parse(authority), shown = parse(server);
    const Store store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), trusted.get());
    const Verification context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), store.get(), shown.get(), nullptr);
    X509_STORE_CTX_set_default(context.get(), "ssl_server");
    auto* parameters = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
    X509_VERIFY_PARAM_set_time(parameters, std::chrono::system_clock::to_time_t(when));
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (host) X509_VERIFY_PARAM_set1_host(parameters, host, 0);
    if (address) X509_VERIFY_PARAM_set1_ip_asc(parameters, address);
    X509_verify_cert(context.get());
    return X509_STORE_CTX_get_error(context.get());
}

class Certificates : public ::testing::Test {
 protected:
    CertifiedKey authority = make_authority("hub1 CA", now);
    CertifiedKey server = issue_server_certificate(authority, {"hub1.example.com", "127.0.0.1", "::1"}, now);
};

TEST_F(Certificates, SatisfyAStrictClientForEachName) {
    EXPECT_EQ(verify(authority, server, "hub1.example.com", nullptr), X509_V_OK);
    EXPECT_EQ(verify(authority, server, nullptr, "127.0.0.1"), X509_V_OK);
    EXPECT_EQ(verify(authority, server, nullptr, "::1"), X509_V_OK);
}

TEST_F(Certificates, AreNotValidForOtherNames) {
    EXPECT_EQ(verify(authority, server, "hub2.example.com", nullptr), X509_V_ERR_HOSTNAME_MISMATCH);
    EXPECT_EQ(verify(authority, server, nullptr, "127.0.0.2"), X509_V_ERR_IP_ADDRESS_MISMATCH);
}

TEST_F(Certificates, AreNotTrustedThroughAnotherAuthorityOfTheSameName) {
    EXPECT_NE(verify(make_authority("hub1 CA", now), server, nullptr, nullptr), X509_V_OK);
}

TEST_F(Certificates, ServeSlowClocksAndEndAfter825Days) {
    EXPECT_EQ(verify(authority, server, nullptr, nullptr, now - day + std::chrono::seconds(1)), X509_V_OK);
    EXPECT_EQ(verify(authority, server, nullptr, nullptr, now + 823 * day), X509_V_OK);
    EXPECT_EQ(verify(authority, server, nullptr, nullptr, now + 825 * day), X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST_F(Certificates, CannotIssueFurtherCertificates) {
    const auto forged = issue_server_certificate(server, {"hub2.example.com"}, now);
    const auto trusted = parse(authority), middle = parse(server), shown = parse(forged);
    const Store store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), trusted.get());
    X509_STORE_add_cert(store.get(), middle.get());
    const Verification context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), store.get(), shown.get(), nullptr);
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context.get()), std::chrono::system_clock::to_time_t(now));
    EXPECT_NE(X509_verify_cert(context.get()), 1);
}

TEST_F(Certificates, ComeWithTheirKeys) {
    for (const auto& pair : {authority, server}) {
        const Key key(PEM_read_bio_PrivateKey(reader(pair.key.reveal()).get(), nullptr, nullptr, nullptr));
        EXPECT_EQ(X509_check_private_key(parse(pair).get(), key.get()), 1);
    }
}

TEST_F(Certificates, NeverShareASerialNumber) {
    const auto other = issue_server_certificate(authority, {"hub1.example.com"}, now);
    const auto first = parse(server), second = parse(other);
    EXPECT_NE(ASN1_INTEGER_cmp(X509_get0_serialNumber(first.get()), X509_get0_serialNumber(second.get())), 0);
}

TEST_F(Certificates, TakeNamesTooLongForACommonName) {
    const auto name = std::string(60, 'a') + ".example.com";
    EXPECT_EQ(verify(authority, issue_server_certificate(authority, {name}, now), name.c_str(), nullptr), X509_V_OK);
}

TEST_F(Certificates, RefuseWhatIsNeitherNameNorAddress) {
    for (const char* bad :
         {"", "a b", "hub1,DNS:evil.example", "256.1.1.1", "-a.example", "[::1]", "a\nb", "*.example"}) {
        try {
            issue_server_certificate(authority, {"localhost", bad}, now);
            ADD_FAILURE() << "took '" << bad << "'";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.errc(), Errc::usage);
        }
    }
}

TEST_F(Certificates, RefuseADamagedAuthority) {
    const CertifiedKey damaged{authority.certificate, Secret("-----BEGIN PRIVATE KEY-----")};
    try {
        issue_server_certificate(damaged, {"localhost"}, now);
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::certificate_unusable);
    }
}

}  // namespace
}  // namespace device_streams::hub::certificates_test
