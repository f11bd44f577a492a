#include "common/iothub/connection_string.hpp"

#include "common/base/error.hpp"
#include "tests/unit/iothub/test_keys.hpp"

#include <gtest/gtest.h>

namespace device_streams::iothub {
namespace {

constexpr const char* key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const std::string key_field = std::string(";SharedAccessKey=") + key;

// The detail of the failure; empty when the text was taken.
std::string fault(std::string_view text) {
    try {
        parse_connection_string(text);
        return {};
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::credential_malformed);
        return failure.detail();
    }
}

TEST(ConnectionString, OfADeviceKeepsEqualSignsInItsKey) {
    const auto parsed = parse_connection_string("HostName=hub1.iot.example;DeviceId=dev-01" + key_field);
    EXPECT_EQ(parsed.host_name, "hub1.iot.example");
    EXPECT_EQ(parsed.device_id, "dev-01");
    EXPECT_EQ(parsed.key.reveal(), key);
    EXPECT_TRUE(parsed.module_id.empty() && parsed.policy.empty() && parsed.token.empty());
    EXPECT_FALSE(parsed.x509);
}

TEST(ConnectionString, OfAModuleNamesBothIds) {
    const auto parsed = parse_connection_string("HostName=h.example;DeviceId=a@b;ModuleId=tun=nel" + key_field);
    EXPECT_EQ(parsed.device_id, "a@b");
    EXPECT_EQ(parsed.module_id, "tun=nel");
}

TEST(ConnectionString, OfAServiceNamesItsPolicy) {
    const auto parsed = parse_connection_string("HostName=h.example;SharedAccessKeyName=service" + key_field);
    EXPECT_EQ(parsed.policy, "service");
    EXPECT_TRUE(parsed.device_id.empty());
}

TEST(ConnectionString, OfADeviceMayUseAPolicyKey) {
    EXPECT_EQ(fault("HostName=h.example;DeviceId=d;SharedAccessKeyName=device" + key_field), "");
}

TEST(ConnectionString, WithAReadyMadeTokenKeepsItWhole) {
    const auto parsed = parse_connection_string(std::string("HostName=h.example;DeviceId=d;SharedAccessSignature=") +
                                                vectors::d2_token);
    EXPECT_EQ(parsed.token.reveal(), vectors::d2_token);
    EXPECT_TRUE(parsed.key.empty());
}

TEST(ConnectionString, WithX509NeedsNoKey) {
    EXPECT_TRUE(parse_connection_string("HostName=h.example;DeviceId=d;x509=true").x509);
    EXPECT_TRUE(parse_connection_string("HostName=h.example;DeviceId=d;X509Cert=True").x509);
    EXPECT_FALSE(parse_connection_string("HostName=h.example;DeviceId=d;x509=false" + key_field).x509);
}

TEST(ConnectionString, TellsTheGatewayFromTheHost) {
    const auto parsed = parse_connection_string("HostName=h.example;DeviceId=d;GatewayHostName=gw" + key_field);
    EXPECT_EQ(parsed.gateway_host_name, "gw");
    EXPECT_EQ(parsed.host_name, "h.example");
}

TEST(ConnectionString, TakesFieldNamesInAnyCaseAndOrder) {
    const auto parsed =
        parse_connection_string("sharedaccesskey=" + std::string(key) + ";DEVICEID=d;hostname=h.example");
    EXPECT_EQ(parsed.host_name, "h.example");
    EXPECT_EQ(parsed.device_id, "d");
}

TEST(ConnectionString, TakesWhatEditorsLeaveAroundIt) {
    EXPECT_EQ(fault("\xEF\xBB\xBF HostName=h.example;DeviceId=d" + key_field + ";\r\n"), "");
}

TEST(ConnectionString, IgnoresUnknownFields) {
    EXPECT_EQ(fault("HostName=h.example;DeviceId=d;Transport=amqp;Empty=" + key_field), "");
}

struct Fault {
    std::string text;
    std::string detail;
};
class FaultyConnectionString : public testing::TestWithParam<Fault> {};

TEST_P(FaultyConnectionString, IsRefusedNamingTheField) {
    EXPECT_EQ(fault(GetParam().text), GetParam().detail);
}

const std::string device = "HostName=h.example;DeviceId=d";
INSTANTIATE_TEST_SUITE_P(
    All, FaultyConnectionString,
    testing::Values(
        Fault{"", "HostName is missing"}, Fault{" \r\n", "HostName is missing"},
        Fault{"DeviceId=d" + key_field, "HostName is missing"}, Fault{"HostName=;DeviceId=d", "HostName is empty"},
        Fault{"HostName=h.example" + key_field,
              "neither DeviceId (a device) nor SharedAccessKeyName (a service) is there"},
        Fault{"HostName=h.example;ModuleId=m" + key_field, "DeviceId is missing beside ModuleId"},
        Fault{"HostName=h.example;SharedAccessKeyName=p;x509=true", "DeviceId is missing beside x509"},
        Fault{device, "SharedAccessKey is missing"}, Fault{device + ";x509=false", "SharedAccessKey is missing"},
        Fault{device + ";SharedAccessKey=", "SharedAccessKey is empty"},
        Fault{device + ";x509=yes", "x509 must be true or false"},
        Fault{device + key_field + ";x509=true",
              "only one of SharedAccessKey, SharedAccessSignature and x509 may be given"},
        Fault{device + ";x509=true;X509Cert=true", "X509Cert is given twice"},
        Fault{device + ";deviceid=e" + key_field, "DeviceId is given twice"},
        Fault{device + key_field + key_field, "SharedAccessKey is given twice"},
        Fault{device + ";Extra=1;extra=2" + key_field, "part 4 repeats an earlier field"},
        Fault{"HostName=h.example:443;DeviceId=d" + key_field, "HostName must be a name without a port"},
        Fault{"HostName=https://h;DeviceId=d" + key_field, "HostName must be a name without a port"},
        Fault{"HostName=h example;DeviceId=d" + key_field, "HostName is not a host name"},
        Fault{"HostName=" + std::string(254, 'h') + ";DeviceId=d" + key_field, "HostName is not a host name"},
        Fault{device + ";GatewayHostName=g/x" + key_field, "GatewayHostName is not a host name"},
        Fault{"HostName=h.example;DeviceId=a/b" + key_field,
              "DeviceId holds characters that ids cannot have, or is too long"},
        Fault{"HostName=h.example;DeviceId=" + std::string(129, 'a') + key_field,
              "DeviceId holds characters that ids cannot have, or is too long"},
        Fault{device + ";ModuleId=a b" + key_field, "ModuleId holds characters that ids cannot have, or is too long"},
        Fault{device + ";SharedAccessSignature=SharedAccessSignature sr=h",
              "SharedAccessSignature is not a shared access signature"},
        Fault{"HostName=h.example;SharedAccessKeyName=a b" + key_field, "SharedAccessKeyName is not a policy name"},
        Fault{"HostName=h.example;SharedAccessKeyName=" + std::string(65, 'a') + key_field,
              "SharedAccessKeyName is not a policy name"}));

// A cut or garbled string must not end up in a log, whichever part of it was taken for what.
TEST(ConnectionString, NeverRepeatsAPieceOfTheKey) {
    const std::string secret = "c2VjcmV0IGtleSBtYXRlcmlhbCE";
    for (const auto& text :
         {device + ";SharedAccessKey=" + secret, device + ";SharedAccessKey " + secret + "=", device + ";" + secret,
          device + ";" + secret + "=;" + secret + "=", secret + "=;" + device, device + ";x509=" + secret,
          "HostName=" + secret + ":;DeviceId=d" + key_field, device + ";SharedAccessSignature=" + secret}) {
        EXPECT_NE(fault(text), "") << text;
        EXPECT_EQ(fault(text).find(secret), std::string::npos) << fault(text);
    }
}

TEST(IdentityId, AllowsTheDocumentedCharacters) {
    EXPECT_TRUE(is_valid_identity_id("AZaz09-:.+%_#*?!(),=@;$'"));
    EXPECT_TRUE(is_valid_identity_id("a"));
    EXPECT_TRUE(is_valid_identity_id(std::string(128, 'a')));
}

TEST(IdentityId, RefusesAnythingElse) {
    EXPECT_FALSE(is_valid_identity_id(""));
    EXPECT_FALSE(is_valid_identity_id(std::string(129, 'a')));
    for (const auto* id : {"a/b", "a b", "a&b", "a\"b", "a\\b", "a~b", "a\nb", "\xC3\xA9"})
        EXPECT_FALSE(is_valid_identity_id(id)) << id;
    EXPECT_FALSE(is_valid_identity_id(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace device_streams::iothub
