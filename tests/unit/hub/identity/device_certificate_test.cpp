#include "hub/identity/device_certificate.hpp"

#include "common/base/error.hpp"
#include "hub/identity/access_policy.hpp"
#include "hub/identity/revocation.hpp"
#include "tests/support/client_certificates.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub::device_certificates_test {
namespace {

using test::CertificateWish;
using test::MadeCertificate;
using test::make_certificate;

constexpr std::int64_t now = 1'700'000'000;
const iothub::Target pump{"pump-17", {}}, module{"pump-17", "tunnel"}, other{"pump-18", {}};

CertificateFacts facts(const std::string& name = "pump-17") {
    return {std::string(40, 'A'), std::string(64, 'B'), name, now - 100, now + 100};
}
DeviceCertificate certificate(const std::string& authority = "CA") {
    return {facts(), authority, authority.empty() ? "unable to get issuer certificate" : "", now + 50};
}
Identity identity(Authentication authentication, bool enabled = true) {
    return {pump, enabled, std::move(authentication), ""};
}
CredentialCheck judge(const std::optional<DeviceCertificate>& shown, const std::optional<Identity>& known,
                      std::int64_t when = now, const iothub::Target& target = pump) {
    return judge_device_certificate(target, shown, known, when);
}
const Thumbprints both_kinds{std::string(64, 'B'), std::string(40, 'C')};

TEST(DeviceCertificateLogin, RestsOnTheThumbprintThatIsRegistered) {
    const auto by_sha256 = judge(certificate(), identity(both_kinds));
    EXPECT_TRUE(by_sha256.granted());
    EXPECT_EQ(by_sha256.login, (Credential{Credential::Kind::certificate, std::string(64, 'B')}));
    EXPECT_EQ(by_sha256.expiry, now + 100);
    const auto by_sha1 = judge(certificate(), identity(Thumbprints{{}, std::string(40, 'A')}));
    EXPECT_EQ(by_sha1.login.id, std::string(40, 'A'));
}

TEST(DeviceCertificateLogin, RestsOnTheCaAndEndsWithItsChain) {
    const auto decision = judge(certificate(), identity(CertificateAuthority{}));
    EXPECT_TRUE(decision.granted());
    EXPECT_EQ(decision.login, (Credential{Credential::Kind::authority, "CA"}));
    EXPECT_EQ(decision.expiry, now + 50);
}

TEST(DeviceCertificateLogin, SaysWhyItIsRefused) {
    const auto reason_of = [](const auto&... what) { return judge(what...).denial.value().reason; };
    const auto by_authority = identity(CertificateAuthority{});
    EXPECT_EQ(reason_of(certificate(), std::nullopt), Denial::Reason::unknown_identity);
    EXPECT_EQ(reason_of(certificate(), identity(KeyPair{})), Denial::Reason::wants_token);
    EXPECT_EQ(reason_of(std::nullopt, by_authority), Denial::Reason::wants_certificate);
    EXPECT_EQ(reason_of(certificate(), identity(both_kinds, false)), Denial::Reason::disabled);
    EXPECT_EQ(reason_of(certificate(), by_authority, now - 101), Denial::Reason::bad_certificate);
    EXPECT_EQ(reason_of(certificate(), by_authority, now + 101), Denial::Reason::expired_certificate);
    auto forgeable = certificate();
    forgeable.weakness = "its key is too short";
    EXPECT_EQ(reason_of(forgeable, identity(both_kinds)), Denial::Reason::weak_certificate);
    EXPECT_EQ(reason_of(forgeable, by_authority), Denial::Reason::weak_certificate);
    EXPECT_EQ(reason_of(certificate(), identity(Thumbprints{std::string(64, 'D'), {}})),
              Denial::Reason::unknown_certificate);
    EXPECT_EQ(reason_of(certificate(""), by_authority), Denial::Reason::unknown_authority);
    EXPECT_EQ(reason_of(certificate(), by_authority, now, module), Denial::Reason::wrong_name);
}

TEST(DeviceCertificateLogin, EmptyThumbprintMatchesNothing) {
    auto nameless = certificate();
    nameless.own.sha1.clear();
    EXPECT_EQ(judge(nameless, identity(Thumbprints{std::string(64, 'D'), {}})).denial.value().reason,
              Denial::Reason::unknown_certificate);
}

TEST(Revocation, OfAnIdentityCoversItsModulesAndNoOther) {
    const Revocation on_lost(pump);
    EXPECT_TRUE(on_lost.covers(pump, Credential()));
    EXPECT_TRUE(on_lost.covers(module, Credential()));
    EXPECT_FALSE(on_lost.covers(other, Credential()));
    EXPECT_FALSE(Revocation(module).covers(pump, Credential()));
}

TEST(Revocation, OfACredentialSparesTheOtherOne) {
    const Secret old_key("b2xk"), kept_key("a2VwdA=="), new_key("bmV3");
    const Revocation renewed(pump, KeyPair{new_key, kept_key});
    const auto with = [](const Secret& key) { return credential_of(Credential::Kind::device_key, key); };
    EXPECT_TRUE(renewed.covers(pump, with(old_key)));
    EXPECT_FALSE(renewed.covers(pump, with(kept_key)));
    EXPECT_FALSE(renewed.covers(module, with(old_key))) << "it has keys of its own";
    EXPECT_FALSE(renewed.covers(pump, credential_of(Credential::Kind::policy_key, old_key)));
    const Revocation moved(pump, CertificateAuthority{});
    EXPECT_TRUE(moved.covers(pump, with(kept_key)));
    EXPECT_TRUE(moved.covers(pump, {Credential::Kind::certificate, std::string(64, 'B')}));
}

TEST(Revocation, OfACaCoversWhoeverRestsOnIt) {
    const Revocation left(std::vector<std::string>{"CA 2"});
    EXPECT_TRUE(left.covers(pump, {Credential::Kind::authority, "CA 1"}));
    EXPECT_FALSE(left.covers(pump, {Credential::Kind::authority, "CA 2"}));
    EXPECT_FALSE(left.covers(pump, {Credential::Kind::certificate, "CA 1"}));
}

class DeviceAuthoritiesTest : public testing::Test {
 protected:
    Errc failure_of(const std::string& pem) {
        try {
            DeviceAuthorities{folder.write("bundle.pem", pem)};
        } catch (const Failure& failure) {
            return failure.errc();
        }
        return Errc{};
    }
    const test::ScratchFolder folder;
    const MadeCertificate authority = make_certificate({.common_names = {"CA"}, .authority = true});
};

TEST_F(DeviceAuthoritiesTest, BundleMustHoldCasOnly) {
    EXPECT_EQ(
        failure_of(authority.certificate + make_certificate({.common_names = {"CA 2"}, .authority = true}).certificate),
        Errc{});
    EXPECT_EQ(failure_of("nothing here\n"), Errc::certificate_unusable);
    EXPECT_EQ(failure_of(authority.certificate + "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n"),
              Errc::certificate_unusable);
    EXPECT_EQ(failure_of(make_certificate({.common_names = {"leaf"}}).certificate), Errc::certificate_unusable);
    EXPECT_THROW(DeviceAuthorities(folder / "missing.pem"), Failure);
}

TEST_F(DeviceAuthoritiesTest, ReadsWhatTheClientHasShown) {
    const DeviceAuthorities trusted(folder.write("bundle.pem", authority.certificate));
    const auto own = make_certificate({.common_names = {"pump-17"}, .issuer = &authority, .not_after = now + 9});
    const auto found = trusted.examine({own.der, {}}, now);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->own.common_name, "pump-17");
    EXPECT_EQ(found->authority, trusted.ids().at(0));
    EXPECT_EQ(found->chain_ends, now + 9);
    EXPECT_EQ(trusted.examine({own.der, {}}, now + 10)->authority, "") << "expired";
    EXPECT_EQ(DeviceAuthorities().examine({own.der, {}}, now)->why_no_authority, "this hub has no device_ca");
}

TEST_F(DeviceAuthoritiesTest, WhatCouldBeForgedIsWeak) {
    const auto weakness_of = [](const CertificateWish& wish) {
        return DeviceAuthorities().examine({make_certificate(wish).der, {}}, now).value().weakness;
    };
    EXPECT_EQ(weakness_of({.common_names = {"pump-17"}}), "");
    EXPECT_EQ(weakness_of({.common_names = {"pump-17"}, .rsa_bits = 2048}), "");
    EXPECT_EQ(weakness_of({.common_names = {"pump-17"}, .rsa_bits = 1024}), "its key is too short");
    for (const auto* hash : {"SHA1", "MD5"})
        EXPECT_EQ(weakness_of({.common_names = {"pump-17"}, .rsa_bits = 2048, .hash = hash}),
                  "its signature is made with a hash that is broken");
}

TEST_F(DeviceAuthoritiesTest, WeakIntermediatesLeadToNoCa) {
    const DeviceAuthorities trusted(folder.write("bundle.pem", authority.certificate));
    const auto authority_through = [&](CertificateWish wish) {
        wish.common_names = {"site CA"};
        wish.authority = true;
        wish.issuer = &authority;
        const auto between = make_certificate(wish);
        const auto own = make_certificate({.common_names = {"pump-17"}, .issuer = &between});
        return trusted.examine({own.der, between.der}, now).value().authority;
    };
    EXPECT_EQ(authority_through({.rsa_bits = 2048}), trusted.ids().at(0));
    EXPECT_EQ(authority_through({.rsa_bits = 1024}), "");
    EXPECT_EQ(authority_through({.hash = "SHA1"}), "");
}

TEST_F(DeviceAuthoritiesTest, MalformedCertificatesAreNone) {
    const DeviceAuthorities trusted(folder.write("bundle.pem", authority.certificate));
    const auto own = make_certificate({.common_names = {"pump-17"}, .issuer = &authority});
    EXPECT_FALSE(trusted.examine({"", {}}, now));
    EXPECT_FALSE(trusted.examine({"garbage", {}}, now));
    EXPECT_FALSE(trusted.examine({own.der.substr(0, own.der.size() - 1), {}}, now));
    EXPECT_FALSE(trusted.examine({own.der + own.der, {}}, now));
    EXPECT_FALSE(trusted.examine({own.der, authority.der + "rest"}, now));
}

TEST_F(DeviceAuthoritiesTest, TwoCommonNamesAreNone) {
    const DeviceAuthorities trusted(folder.write("bundle.pem", authority.certificate));
    const auto own = make_certificate({.common_names = {"pump-18", "pump-17"}, .issuer = &authority});
    EXPECT_EQ(trusted.examine({own.der, {}}, now)->own.common_name, "");
}

TEST_F(DeviceAuthoritiesTest, ServerCertificatesAdmitNoDevice) {
    const DeviceAuthorities trusted(folder.write("bundle.pem", authority.certificate));
    const auto server =
        make_certificate({.common_names = {"pump-17"}, .issuer = &authority, .extended_key_usage = "serverAuth"});
    EXPECT_EQ(trusted.examine({server.der, {}}, now)->authority, "");
}

}  // namespace
}  // namespace device_streams::hub::device_certificates_test
