#include "tests/component/support/hub_fixture.hpp"
#include "tests/support/client_certificates.hpp"

#include <openssl/evp.h>

#include <list>

namespace device_streams::hub {

namespace {

using hub_clients::DeviceClient;
using test::CertificateWish;
using test::MadeCertificate;
using test::make_certificate;

constexpr std::int64_t long_ago = 1'000'000'000;

std::string thumbprint(const MadeCertificate& made, const EVP_MD* hash) {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    EVP_Digest(made.der.data(), made.der.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, hash, nullptr);
    std::string hex;
    for (const unsigned char byte : digest.substr(0, size)) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        hex += {digits[byte / 16], digits[byte % 16]};
    }
    return hex;
}
std::string sha1(const MadeCertificate& made) {
    return thumbprint(made, EVP_sha1());
}
std::string sha256(const MadeCertificate& made) {
    return thumbprint(made, EVP_sha256());
}

}  // namespace

/// Devices that show a certificate in the TLS handshake.
class HubCertificates : public HubTest {
 protected:
    explicit HubCertificates(bool trusts_a_ca = true)
        : authority(make_certificate({.common_names = {"fleet CA"}, .authority = true})) {
        const auto file = certificates.folder.write("fleet.pem", authority.certificate);
        if (trusts_a_ca) config.device_ca = file;
        start_hub();
    }
    // Whoever has this logs in with the certificate, and resumes TLS sessions.
    std::shared_ptr<TlsContext> holder_of(const MadeCertificate& made, const std::string& chain = {}) {
        const auto name = "client-" + std::to_string(++holders_);
        return TlsContext::client(certificates.ca_file,
                                  CertificateFiles{certificates.folder.write(name + ".pem", made.certificate + chain),
                                                   certificates.folder.write(name + ".key", made.key)});
    }
    MadeCertificate issued(const std::string& name, std::int64_t not_after = 4'000'000'000) {
        return make_certificate({.common_names = {name}, .issuer = &authority, .not_after = not_after});
    }
    void add(const iothub::Target& target, Authentication authentication) {
        background.wait_for(stream_hub().registry().add(target, std::move(authentication)));
    }
    void change(const iothub::Target& target, Authentication authentication) {
        background.wait_for(stream_hub().registry().set_authentication(target, std::move(authentication)));
    }
    std::unique_ptr<DeviceClient> client(const std::shared_ptr<TlsContext>& holder, const iothub::Target& target,
                                         bool over_websocket = false) {
        auto& where = addresses_.emplace_back(address);
        where.tls = holder;
        DeviceClient::Options options;
        options.target = target;
        options.over_websocket = over_websocket;
        return std::make_unique<DeviceClient>(where, options);
    }
    int code_for(const std::shared_ptr<TlsContext>& holder, const iothub::Target& target, bool over_websocket = false) {
        return run(client(holder, target, over_websocket)->log_in());
    }

    // By the handshake. In TLS 1.3 the client hears of it when it reads.
    void expect_refused(const MadeCertificate& own, const std::string& chain, std::string_view why) {
        EXPECT_ANY_THROW(code_for(holder_of(own, chain), pump)) << why;
        EXPECT_TRUE(eventually_logged(why)) << whole_log();
    }

    const iothub::Target pump{"pump-17", {}};
    const MadeCertificate authority;

 private:
    int holders_ = 0;
    std::list<hub_clients::HubAddress> addresses_;  // which the clients refer to
};

TEST_F(HubCertificates, EitherThumbprintOfEitherLengthAdmits) {
    const auto one = make_certificate({.common_names = {"whoever"}}), two = make_certificate({});
    add(pump, Thumbprints{sha1(one), sha256(two)});
    for (const bool over_websocket : {false, true}) {
        EXPECT_EQ(code_for(holder_of(one), pump, over_websocket), 0);
        EXPECT_EQ(code_for(holder_of(two), pump, over_websocket), 0);
        EXPECT_EQ(code_for(holder_of(make_certificate({})), pump, over_websocket), 5);
    }
    EXPECT_TRUE(eventually_logged("the certificate's thumbprint is not registered")) << whole_log();
}

TEST_F(HubCertificates, ChainToATrustedCaAdmitsTheDeviceThatItNames) {
    const iothub::Target module{"pump-17", "tunnel"};
    add(pump, CertificateAuthority{});
    add(module, CertificateAuthority{});
    for (const bool over_websocket : {false, true}) {
        EXPECT_EQ(code_for(holder_of(issued("pump-17")), pump, over_websocket), 0);
        EXPECT_EQ(code_for(holder_of(issued("pump-17/tunnel")), module, over_websocket), 0);
        EXPECT_EQ(code_for(holder_of(issued("pump-18")), pump, over_websocket), 5);
        EXPECT_EQ(code_for(holder_of(issued("pump-17")), module, over_websocket), 5);
    }
    EXPECT_TRUE(eventually_logged("the certificate's common name is another one")) << whole_log();
}

TEST_F(HubCertificates, ChainMayPassIntermediatesThatTheDeviceSends) {
    add(pump, CertificateAuthority{});
    const auto between = make_certificate({.common_names = {"site CA"}, .authority = true, .issuer = &authority});
    const auto own = make_certificate({.common_names = {"pump-17"}, .issuer = &between});
    const auto holder = holder_of(own, between.certificate);
    EXPECT_EQ(code_for(holder, pump), 0);
    const auto again = client(holder, pump);
    EXPECT_EQ(run(again->log_in()), 0) << "also when TLS resumes";
    EXPECT_TRUE(dynamic_cast<TlsStream&>(again->stream()).resumed());
    EXPECT_EQ(code_for(holder_of(own), pump), 5) << "nothing leads from it to the CA";
}

TEST_F(HubCertificates, FiveCertificatesAreTakenAndNoMore) {
    add(pump, CertificateAuthority{});
    const auto own = issued("pump-17");
    std::string chain;
    for (int number = 1; number < 5; ++number) chain += make_certificate({.common_names = {"other"}}).certificate;
    EXPECT_EQ(code_for(holder_of(own, chain), pump), 0);
    chain += make_certificate({.common_names = {"sixth"}}).certificate;
    expect_refused(own, chain, "more than 5 certificates");
    for (int number = 6; number < 20; ++number) chain += make_certificate({.common_names = {"other"}}).certificate;
    expect_refused(own, chain, "more than 5 certificates");
    for (int number = 20; number < 100; ++number) chain += make_certificate({.common_names = {"other"}}).certificate;
    expect_refused(own, chain, "excessive message size");
}

TEST_F(HubCertificates, KeysThatAreDearToUseAreRefused) {
    add(pump, CertificateAuthority{});
    const auto own = issued("pump-17");
    const auto with = [this](int bits, unsigned exponent) {
        const CertificateWish wish{
            .common_names = {"site CA"}, .issuer = &authority, .rsa_bits = bits, .rsa_exponent = exponent};
        return make_certificate(wish).certificate;
    };
    EXPECT_EQ(code_for(holder_of(own, with(4096, 4'294'967'295)), pump), 0);
    expect_refused(own, with(4097, 65'537), "more than 4096 bits");
    expect_refused(own, with(2048, 0), "RSA exponent");
}

TEST_F(HubCertificates, OtherCasExpiredAndFutureCertificatesAreRefused) {
    add(pump, CertificateAuthority{});
    const auto stranger = make_certificate({.common_names = {"fleet CA"}, .authority = true});
    EXPECT_EQ(code_for(holder_of(make_certificate({.common_names = {"pump-17"}, .issuer = &stranger})), pump), 5);
    EXPECT_TRUE(eventually_logged("the certificate comes from no CA of device_ca")) << whole_log();
    EXPECT_EQ(code_for(holder_of(issued("pump-17", long_ago)), pump), 5);
    EXPECT_TRUE(eventually_logged("the certificate has expired")) << whole_log();
    const auto future =
        make_certificate({.common_names = {"pump-17"}, .issuer = &authority, .not_before = 3'900'000'000});
    EXPECT_EQ(code_for(holder_of(future), pump), 5);
    EXPECT_TRUE(eventually_logged("the certificate is malformed or not valid yet")) << whole_log();
    EXPECT_EQ(code_for(holder_of(make_certificate({.common_names = {"pump-17"}})), pump), 5) << "signed by itself";
}

TEST_F(HubCertificates, TokensAndCertificatesDoNotReplaceEachOther) {
    const auto own = make_certificate({});
    add(pump, Thumbprints{sha256(own), {}});
    auto options = device_options();
    options.target = pump;
    options.token = device_token(pump, device_key);
    EXPECT_EQ(run(DeviceClient(address, options).log_in()), 5);
    EXPECT_TRUE(eventually_logged("the identity logs in with a certificate")) << whole_log();
    EXPECT_EQ(code_for(tls, pump), 5) << "neither one nor the other";
    EXPECT_EQ(code_for(holder_of(own), {"dev-01", {}}), 5) << "that one has keys";
    EXPECT_TRUE(eventually_logged("the identity logs in with a token, and there was none")) << whole_log();
}

TEST_F(HubCertificates, ResumedSessionIsCheckedAsAFreshOne) {
    const auto own = make_certificate({}), next = make_certificate({});
    add(pump, Thumbprints{sha256(own), {}});
    const auto holder = holder_of(own);
    EXPECT_EQ(code_for(holder, pump), 0);
    EXPECT_EQ(code_for(holder, pump), 0);
    change(pump, Thumbprints{sha256(next), {}});
    const auto again = client(holder, pump);
    EXPECT_EQ(run(again->log_in()), 5) << "its certificate counts no longer";
    EXPECT_TRUE(dynamic_cast<TlsStream&>(again->stream()).resumed());
    EXPECT_EQ(code_for(holder_of(next), pump), 0);
    background.wait_for(stream_hub().registry().set_enabled(pump, false));
    EXPECT_EQ(code_for(holder_of(next), pump), 5);
    EXPECT_TRUE(eventually_logged("disabled")) << whole_log();
}

TEST_F(HubCertificates, ReplacedThumbprintEndsLinkAndStreamsAtOnce) {
    const auto own = make_certificate({}), next = make_certificate({});
    const iothub::Target target{"dev-01", {}};
    change(target, Thumbprints{sha256(own), sha256(next)});
    const auto device = client(holder_of(own), target);
    EXPECT_EQ(run(device->log_in()), 0);
    run(device->subscribe());
    const auto service = service_client();
    const auto legs = joined_stream(*device, *service);
    change(target, Thumbprints{sha256(own), {}});
    run(legs.service->send(ws::Opcode::binary, "still there"));
    EXPECT_EQ(run(legs.device->receive_data(11)), "still there") << "it rests on the other thumbprint";
    change(target, Thumbprints{sha256(next), {}});
    EXPECT_EQ(run(legs.service->close_code()), 1008);
    EXPECT_EQ(run(legs.device->close_code()), 1008);
    EXPECT_TRUE(run(device->is_dropped()));
    EXPECT_TRUE(eventually_logged("reason=the device's key or certificate was replaced")) << whole_log();
}

TEST_F(HubCertificates, RenewedKeyEndsOnlyWhatRestsOnIt) {
    const auto device = online_device();
    const auto service = service_client();
    const auto legs = joined_stream(*device, *service);
    const iothub::Target target{"dev-01", {}};
    background.wait_for(stream_hub().registry().renew_key(target, WhichKey::secondary));
    run(legs.service->send(ws::Opcode::binary, "still there"));
    EXPECT_EQ(run(legs.device->receive_data(11)), "still there");
    background.wait_for(stream_hub().registry().renew_key(target, WhichKey::primary));
    EXPECT_EQ(run(legs.service->close_code()), 1008);
    EXPECT_TRUE(run(device->is_dropped()));
}

TEST_F(HubCertificates, CaThatIsTrustedNoLongerEndsTheLinksOfItsDevices) {
    add(pump, CertificateAuthority{});
    const auto device = client(holder_of(issued("pump-17")), pump);
    EXPECT_EQ(run(device->log_in()), 0);
    const auto other = make_certificate({.common_names = {"next CA"}, .authority = true});
    config.device_ca = certificates.folder.write("next.pem", other.certificate);
    hub->on_control([&](StreamHub& running) { running.apply(config); });
    EXPECT_TRUE(run(device->is_dropped()));
    EXPECT_TRUE(eventually_logged("the CA of the device's certificate is not trusted any more")) << whole_log();
    EXPECT_EQ(code_for(holder_of(issued("pump-17")), pump), 5);
}

TEST_F(HubCertificates, CaThatIsRemovedAfterAHandOverEndsTheStreamsOfItsDevices) {
    const iothub::Target target{"dev-01", {}};
    change(target, CertificateAuthority{});
    const auto device = client(holder_of(issued("dev-01")), target);
    EXPECT_EQ(run(device->log_in()), 0);
    run(device->subscribe());
    const auto service = service_client();
    const auto legs = joined_stream(*device, *service);
    hub->on_control([](StreamHub& running) { running.stop_accepting(); });
    run(legs.service->send(ws::Opcode::binary, "still there"));
    EXPECT_EQ(run(legs.device->receive_data(11)), "still there");
    const auto other = make_certificate({.common_names = {"next CA"}, .authority = true});
    certificates.folder.write("fleet.pem", other.certificate);
    EXPECT_EQ(run(legs.service->close_code()), 1008);
    EXPECT_EQ(run(legs.device->close_code()), 1008);
}

/// A hub where certificates count for nobody yet.
class HubWithoutCertificates : public HubCertificates {
 protected:
    HubWithoutCertificates() : HubCertificates(false) {}
    // False: no certificate was asked for, or this chain, which is too long, would have been refused.
    bool asks(const iothub::Target& target, const Secret& token) {
        std::string chain;
        for (int number = 0; number < 6; ++number) chain += make_certificate({.common_names = {"other"}}).certificate;
        auto& where = address;
        where.tls = holder_of(make_certificate({.common_names = {"own"}}), chain);
        DeviceClient::Options options;
        options.target = target;
        options.token = token;
        try {
            EXPECT_EQ(run(DeviceClient(where, options).log_in()), 0);
            return false;
        } catch (const std::exception&) {
            return true;
        }
    }
};

TEST_F(HubWithoutCertificates, AsksForOneWhileAnIdentityUsesIt) {
    const iothub::Target target{"dev-01", {}};
    const auto token = device_token(target, device_key);
    EXPECT_FALSE(asks(target, token));
    add(pump, Thumbprints{sha256(make_certificate({})), {}});
    EXPECT_TRUE(asks(target, token));
    change(pump, make_key_pair());
    EXPECT_FALSE(asks(target, token));
    config.device_ca = certificates.folder.write("fleet.pem", authority.certificate);
    hub->on_control([&](StreamHub& running) { running.apply(config); });
    EXPECT_TRUE(asks(target, token));
}

TEST_F(HubWithoutCertificates, ADeviceThatCameTooEarlyIsAskedWhenItComesAgain) {
    const auto own = make_certificate({});
    const auto holder = holder_of(own);
    EXPECT_EQ(code_for(holder, pump), 5);
    add(pump, Thumbprints{sha256(own), {}});
    EXPECT_EQ(code_for(holder, pump), 0) << "although TLS could resume the session without a certificate";
}

}  // namespace device_streams::hub
