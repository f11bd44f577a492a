#include "common/iothub/sas_token.hpp"

#include "common/base/error.hpp"
#include "common/text/percent.hpp"
#include "tests/unit/iothub/test_keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace device_streams::iothub {
namespace {

using vectors::device_key;
using vectors::service_key;

struct Vector {
    std::string name;
    std::string resource;
    Secret key;
    std::string signature;
    std::string target;  // what the token must open
    std::string policy = {};
    std::int64_t expiry = vectors::expiry;
};

// The vectors of the wire protocol: SDKs of three languages, plain and awkward ids, and two captured from real SDKs.
std::vector<Vector> sas_vectors() {
    const std::string dev = "hub1.iot.example/devices/dev-01";
    const std::string awkward = "hub1.iot.example/devices/a@b";
    return {
        {"D1", "hub1.iot.example/devices/dev-01", device_key, "hG2O/Q7k+NMq2r4jYkkt7YbsC1ik0paLwTgqWsUHfVg=", dev},
        {"D2", "hub1.iot.example%2Fdevices%2Fdev-01", device_key, "S/vXd9tQVn3h0FAFNYLUItTQ94VJSnuW+ZVravSAFnc=", dev},
        {"D3", "hub1.iot.example%2fdevices%2fdev-01", device_key, "3gZ8bNmafEejjD4Pcytv6kEY5rHpVYKjb8LpcO7vyuQ=", dev},
        {"M1", "hub1.iot.example%2Fdevices%2Fdev-01%2Fmodules%2Ftunnel", device_key,
         "qqb4RylMoyRvsEXyGaFxPdbtdboPrYrKT///YPLr71U=", dev + "/modules/tunnel"},
        {"M2", "hub1.iot.example/devices/dev-01/modules/tunnel", device_key,
         "BCsfuvTYC06G3hLtKsIY3bM05rX93FudxfZRE38J2xY=", dev + "/modules/tunnel"},
        {"X1", "hub1.iot.example%2Fdevices%2Fa%2540b", device_key,
         "5AVqU9hHspWksOg9BcH+cGwxWXJT/vu5sj8rI/irm78=", awkward},
        {"X2", "hub1.iot.example%2Fdevices%2Fa%40b", device_key,
         "Rvucp7BqJU6xUVPHu4MeOVEl48Zff8adqXBw1cJ+GxU=", awkward},
        {"X3", "hub1.iot.example/devices/a@b", device_key, "2CxhrK3/XCJVUikVgDs50MlyyF4w2Jdsq51PCHypoGg=", awkward},
        {"S1", "hub1.iot.example", service_key, "wxM220wxbE7hCCWQ5+IF2svQzAXY4Kr3qGCYzrSzmws=", "hub1.iot.example",
         "service"},
        {"CapturedC", "127.0.0.1/devices/dev-01", device_key,
         "0lo8xARyD/+JbqS2YusABvVhOVCgF1Vtk/b2szxLx1A=", "127.0.0.1/devices/dev-01", "", 1795388038},
        {"CapturedNode", "127.0.0.1", device_key, "tcAtI89ABupkOpD4VUjwNDsVOczwCBWz79RNK4+6MoA=", "127.0.0.1",
         "service", 1795388069},
    };
}

std::string lower_hex(std::string text) {
    for (std::size_t at = text.find('%'); at != std::string::npos; at = text.find('%', at + 1))
        std::transform(text.begin() + at, text.begin() + at + 3, text.begin() + at, ::tolower);
    return text;
}

// Every order of the fields, with the signature escaped in upper-case hex, in lower-case hex and not at all.
std::vector<std::string> spellings(const Vector& vector) {
    std::vector<std::string> texts;
    for (const auto& signature :
         {percent_encode(vector.signature), lower_hex(percent_encode(vector.signature)), vector.signature}) {
        std::vector<std::string> fields{"sr=" + vector.resource, "sig=" + signature,
                                        "se=" + std::to_string(vector.expiry)};
        if (!vector.policy.empty()) fields.push_back("skn=" + vector.policy);
        std::ranges::sort(fields);
        do {
            std::string text = "SharedAccessSignature ";
            for (const auto& field : fields) text += (text.ends_with(' ') ? "" : "&") + field;
            texts.push_back(text);
        } while (std::ranges::next_permutation(fields).found);
    }
    return texts;
}

class SasVectors : public testing::TestWithParam<Vector> {};

TEST_P(SasVectors, VerifyInEveryFieldOrderAndSpelling) {
    for (const auto& text : spellings(GetParam())) {
        const auto token = parse_sas_token(text);
        ASSERT_TRUE(token) << text;
        EXPECT_EQ(token->resource, GetParam().resource);
        EXPECT_EQ(token->signature, GetParam().signature);
        EXPECT_EQ(token->expiry, GetParam().expiry);
        EXPECT_EQ(token->policy, GetParam().policy);
        EXPECT_TRUE(token->signed_by(GetParam().key)) << text;
        EXPECT_TRUE(token->covers(GetParam().target)) << text;
    }
}

TEST_P(SasVectors, FailWithAnyBitOfTheSignatureChanged) {
    const auto text = spellings(GetParam()).front();
    const auto whole = parse_sas_token(text);
    ASSERT_TRUE(whole);
    for (std::size_t i = 0; i < whole->signature.size(); ++i) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            auto changed = *whole;
            changed.signature[i] = static_cast<char>(changed.signature[i] ^ (1U << bit));
            EXPECT_FALSE(changed.signed_by(GetParam().key)) << i << " " << bit;
        }
    }
}

TEST_P(SasVectors, FailWithAnotherKeyExpiryOrResource) {
    const auto whole = parse_sas_token(spellings(GetParam()).front());
    ASSERT_TRUE(whole);
    EXPECT_FALSE(whole->signed_by(Secret("b3RoZXIga2V5")));
    auto later = *whole;
    ++later.expiry;
    EXPECT_FALSE(later.signed_by(GetParam().key));
    auto wider = *whole;
    wider.resource.pop_back();
    EXPECT_FALSE(wider.signed_by(GetParam().key));
}

INSTANTIATE_TEST_SUITE_P(WireProtocol, SasVectors, testing::ValuesIn(sas_vectors()),
                         [](const auto& test) { return test.param.name; });

TEST(SasToken, FullTokensOfTheRealSdksVerify) {
    const auto c_sdk = parse_sas_token(
        "SharedAccessSignature sr=hub1.iot.example/devices/dev-01"
        "&sig=hG2O%2fQ7k%2bNMq2r4jYkkt7YbsC1ik0paLwTgqWsUHfVg%3d&se=1893456000");
    const auto node = parse_sas_token(
        "SharedAccessSignature sr=hub1.iot.example"
        "&sig=wxM220wxbE7hCCWQ5%2BIF2svQzAXY4Kr3qGCYzrSzmws%3D&skn=service&se=1893456000");
    ASSERT_TRUE(c_sdk && node);
    EXPECT_TRUE(c_sdk->signed_by(device_key));
    EXPECT_TRUE(node->signed_by(service_key));
    EXPECT_EQ(node->policy, "service");
}

TEST(SasToken, MadeForADeviceIsTheOneOfTheWireProtocol) {
    const auto token = make_sas_token(device_resource("hub1.iot.example", "dev-01"), device_key, vectors::expiry);
    EXPECT_EQ(token.reveal(), vectors::d2_token);
}

TEST(SasToken, MadeForAModuleAndAnAwkwardIdAreTheOnesOfTheWireProtocol) {
    const auto module =
        make_sas_token(device_resource("hub1.iot.example", "dev-01", "tunnel"), device_key, vectors::expiry);
    const auto awkward = make_sas_token(device_resource("hub1.iot.example", "a@b"), device_key, vectors::expiry);
    EXPECT_EQ(module.reveal(),
              "SharedAccessSignature sr=hub1.iot.example%2Fdevices%2Fdev-01%2Fmodules%2Ftunnel"
              "&sig=qqb4RylMoyRvsEXyGaFxPdbtdboPrYrKT%2F%2F%2FYPLr71U%3D&se=1893456000");
    EXPECT_EQ(awkward.reveal(),
              "SharedAccessSignature sr=hub1.iot.example%2Fdevices%2Fa%2540b"
              "&sig=5AVqU9hHspWksOg9BcH%2BcGwxWXJT%2Fvu5sj8rI%2Firm78%3D&se=1893456000");
}

TEST(SasToken, MadeForAServiceNamesThePolicyLast) {
    const auto token = make_sas_token(device_resource("hub1.iot.example", ""), service_key, vectors::expiry, "service");
    EXPECT_EQ(token.reveal(),
              "SharedAccessSignature sr=hub1.iot.example&sig=wxM220wxbE7hCCWQ5%2BIF2svQzAXY4Kr3qGCYzrSzmws%3D"
              "&se=1893456000&skn=service");
}

TEST(SasToken, CannotBeMadeWithAKeyThatIsNotBase64) {
    for (const auto* key : {"", "not base64", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}) {
        try {
            make_sas_token("h", Secret(key), 1);
            ADD_FAILURE() << key;
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.errc(), Errc::credential_malformed);
        }
    }
}

TEST(SasToken, IsNeverSignedByAnEmptyKey) {
    const auto token = parse_sas_token(vectors::d2_token);
    ASSERT_TRUE(token);
    EXPECT_FALSE(token->signed_by(Secret()));
    EXPECT_FALSE(token->signed_by(Secret("====")));
}

TEST(SasToken, OfADeviceDoesNotCoverItsNeighbours) {
    const auto token = parse_sas_token(vectors::d2_token);
    ASSERT_TRUE(token);
    for (const auto* target :
         {"hub1.iot.example/devices/dev-011", "hub1.iot.example/devices/dev-0", "hub1.iot.example/devices/DEV-01",
          "hub1.iot.example/devices", "hub1.iot.example", "hub2.iot.example/devices/dev-01", ""})
        EXPECT_FALSE(token->covers(target)) << target;
}

TEST(SasToken, CoversWhatLiesBelowItsScope) {
    const SasToken device{.resource = "hub1.iot.example/devices/dev-01", .signature = {}, .policy = {}};
    EXPECT_TRUE(device.covers("hub1.iot.example/devices/dev-01/modules/tunnel"));
    const SasToken hub{.resource = "hub1.iot.example", .signature = {}, .policy = {}};
    EXPECT_TRUE(hub.covers("hub1.iot.example/devices/dev-01"));
    EXPECT_FALSE(hub.covers("hub1.iot.example.evil/devices/dev-01"));
    EXPECT_FALSE(SasToken().covers("hub1.iot.example"));
}

TEST(SasToken, ComparesTheHostWithoutRegardToCase) {
    const SasToken token{.resource = "HUB1.iot.Example/devices/dev-01", .signature = {}, .policy = {}};
    EXPECT_TRUE(token.covers("hub1.IOT.example/devices/dev-01"));
    EXPECT_FALSE(token.covers("hub1.iot.example/Devices/dev-01"));
}

TEST(SasToken, DecodesItsScopeAtMostTwice) {
    const SasToken token{.resource = "h/devices/a%252540b", .signature = {}, .policy = {}};
    EXPECT_TRUE(token.covers("h/devices/a%252540b"));
    EXPECT_TRUE(token.covers("h/devices/a%2540b"));
    EXPECT_TRUE(token.covers("h/devices/a%40b"));
    EXPECT_FALSE(token.covers("h/devices/a@b"));
}

TEST(SasToken, KeepsPlusSignsOfItsScope) {
    const SasToken token{.resource = "h%2Fdevices%2Fa+b", .signature = {}, .policy = {}};
    EXPECT_TRUE(token.covers("h/devices/a+b"));
    EXPECT_FALSE(token.covers("h/devices/a b"));
}

TEST(SasToken, WithALonePercentSignInItsScopeIsStillCompared) {
    const SasToken token{.resource = "h/devices/50%", .signature = {}, .policy = {}};
    EXPECT_TRUE(token.covers("h/devices/50%"));
    EXPECT_FALSE(token.covers("h/devices/50"));
}

TEST(SasToken, ExpiresAfterTheAllowedSkew) {
    const SasToken token{.resource = {}, .signature = {}, .expiry = 1000, .policy = {}};
    EXPECT_FALSE(token.expired(999, 0));
    EXPECT_TRUE(token.expired(1000, 0));
    EXPECT_FALSE(token.expired(1299));
    EXPECT_TRUE(token.expired(1300));
}

TEST(SasToken, OfAServiceWithoutPolicyNameHasNone) {
    const auto token = parse_sas_token(
        "SharedAccessSignature sr=hub1.iot.example&sig=wxM220wxbE7hCCWQ5%2BIF2svQzAXY4Kr3qGCYzrSzmws%3D&se=1893456000");
    ASSERT_TRUE(token);
    EXPECT_EQ(token->policy, "");  // with nobody's key to check it against, the hub refuses it
}

TEST(SasToken, IgnoresUnknownFields) {
    EXPECT_TRUE(parse_sas_token(std::string(vectors::d2_token) + "&future=1"));
}

TEST(SasToken, TakesTheSchemeInAnyCase) {
    std::string text = vectors::d2_token;
    text[0] = 's';
    EXPECT_TRUE(parse_sas_token(text));
}

constexpr const char* good_signature = "sig=S%2FvXd9tQVn3h0FAFNYLUItTQ94VJSnuW%2BZVravSAFnc%3D";

class MalformedSas : public testing::TestWithParam<std::string> {};

TEST_P(MalformedSas, IsRefused) {
    EXPECT_FALSE(parse_sas_token(GetParam()));
}

const std::string start = "SharedAccessSignature ";
const std::string sig = good_signature;
INSTANTIATE_TEST_SUITE_P(All, MalformedSas,
                         testing::Values("", "SharedAccessSignature", start, "Bearer sr=h&" + sig + "&se=1",
                                         "sr=h&" + sig + "&se=1",
                                         start + sig + "&se=1",                              // no sr
                                         start + "sr=h&se=1",                                // no sig
                                         start + "sr=h&" + sig,                              // no se
                                         start + "sr=&" + sig + "&se=1",                     // empty
                                         start + "sr=h&sig=&se=1",                           //
                                         start + "sr=h&" + sig + "&se=",                     //
                                         start + "sr=h&" + sig + "&se=1&skn=",               //
                                         start + "sr=h&sr=h&" + sig + "&se=1",               // repeated
                                         start + "sr=h&" + sig + "&" + sig + "&se=1",        //
                                         start + "sr=h&" + sig + "&se=1&se=1",               //
                                         start + "sr=h&" + sig + "&se=1&skn=a&skn=a",        //
                                         start + "sr=h&" + sig + "&se=1&",                   // empty part
                                         start + "sr=h&&" + sig + "&se=1",                   //
                                         start + "sr=h&" + sig + "&se=1&skn",                // no =
                                         start + "sr=h&" + sig + "&se=-1",                   // not plain digits
                                         start + "sr=h&" + sig + "&se=+1",                   //
                                         start + "sr=h&" + sig + "&se=01",                   //
                                         start + "sr=h&" + sig + "&se=1.5",                  //
                                         start + "sr=h&" + sig + "&se= 1",                   //
                                         start + "sr=h&" + sig + "&se=9223372036854775808",  // does not fit
                                         start + "sr=h&" + sig + "%4&se=1",                  // broken escapes
                                         start + "sr=h&" + sig + "&se=1&skn=%zz",            //
                                         start + "sr=h&sig=AAAA&se=1",                       // not 32 bytes
                                         start + "sr=h&sig=not+base64!&se=1", start + "SR=h&" + sig + "&se=1"));

TEST(DeviceResource, EncodesIdsOnce) {
    EXPECT_EQ(device_resource("Hub.example", "a@b", "m/x"), "Hub.example/devices/a%40b/modules/m%2Fx");
    EXPECT_EQ(device_resource("hub.example", ""), "hub.example");
}

}  // namespace
}  // namespace device_streams::iothub
