#include "hub/identity/access_policy.hpp"

#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include <atomic>
#include <dlfcn.h>

namespace {
std::atomic<int> signatures = 0;
}

// Stands before OpenSSL's own, and counts.
unsigned char* HMAC(const EVP_MD* digest, const void* key, int key_size, const unsigned char* data, std::size_t size,
                    unsigned char* result, unsigned int* result_size) {
    static const auto original = reinterpret_cast<decltype(&HMAC)>(::dlsym(RTLD_NEXT, "HMAC"));
    ++signatures;
    return original(digest, key, key_size, data, size, result, result_size);
}

// A stranger must not find out which devices, modules and policies exist: whoever is named, the same signatures are
// computed. (That the answers are the same, tests/process/test_strangers.py sees.)
namespace device_streams::hub::strangers_test {
namespace {

constexpr std::int64_t now = 1'700'000'000;
constexpr std::string_view host = "hub1.iot.example";
const HubNames hub{{std::string(host)}};
const Secret guessed("b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb28=");

std::optional<Identity> identity(Authentication authentication, bool enabled = true) {
    Identity known;
    known.target = {"dev-01", ""};
    known.enabled = enabled;
    known.authentication = std::move(authentication);
    return known;
}

std::optional<Policy> policy(bool device_connect) {
    Policy known;
    known.name = "gate";
    known.keys = make_key_pair();
    known.permissions.device_connect = device_connect;
    return known;
}

struct Work {
    int signatures;
    bool refused;
    bool operator==(const Work&) const = default;
};
const Work refused_after_two{2, true};

Work device_login(const std::optional<Identity>& known, const std::optional<Policy>& named, std::string_view policy) {
    const auto path = iothub::device_resource(host, "dev-01");
    const auto token = iothub::make_sas_token(path, guessed, now + 3600, policy);
    signatures = 0;
    const auto decision = judge_device_login({"dev-01", ""}, token, known, named, hub, now);
    return {signatures, !decision.granted()};
}

TEST(Strangers, CostTheSameWhetherOrNotTheDeviceExists) {
    EXPECT_EQ(device_login(std::nullopt, {}, ""), refused_after_two);
    EXPECT_EQ(device_login(identity(make_key_pair()), {}, ""), refused_after_two);
    EXPECT_EQ(device_login(identity(make_key_pair(), false), {}, ""), refused_after_two);
    EXPECT_EQ(device_login(identity(Thumbprints{std::string(64, 'A'), ""}), {}, ""), refused_after_two);
    EXPECT_EQ(device_login(identity(CertificateAuthority{}), {}, ""), refused_after_two);
}

TEST(Strangers, CostTheSameWhetherOrNotThePolicyExists) {
    for (const auto& known : {std::optional<Identity>(), identity(make_key_pair())}) {
        EXPECT_EQ(device_login(known, {}, "gate"), refused_after_two);
        EXPECT_EQ(device_login(known, policy(false), "gate"), refused_after_two);
        EXPECT_EQ(device_login(known, policy(true), "gate"), refused_after_two);
    }
}

TEST(Strangers, ServicesCostTheSameWhetherOrNotThePolicyExists) {
    const auto token = iothub::make_sas_token(host, guessed, now + 3600, "gate");
    for (const auto& known : {std::optional<Policy>(), policy(true)}) {
        signatures = 0;
        EXPECT_FALSE(judge_service_request(token, known, hub, now).granted());
        EXPECT_EQ(signatures, 2);
    }
}

}  // namespace
}  // namespace device_streams::hub::strangers_test
