#include "hub/identity/access_policy.hpp"

#include "common/async/block_on.hpp"
#include "hub/registry/sqlite_registry.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

using Reason = Denial::Reason;
using iothub::Target;

constexpr std::int64_t now = 1'700'000'000;
constexpr std::int64_t later = now + 3600;
constexpr std::string_view host = "hub1.iot.example";
const Secret device_key("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
const Secret policy_key("ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=");
const Secret other_key("b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb28=");
const HubNames hub{{"hub1.iot.example", "127.0.0.1"}};

Identity device(bool enabled = true) {
    return {{"dev-01", ""}, enabled, KeyPair{device_key, other_key}, ""};
}
Policy policy(Permissions permissions) {
    return {"gate", {policy_key, other_key}, permissions};
}
const Permissions device_connect{.device_connect = true};
const Permissions service_connect{.service_connect = true};

Secret device_token(const Secret& key, std::int64_t expiry = later, std::string_view id = "dev-01") {
    return iothub::make_sas_token(iothub::device_resource(host, id), key, expiry);
}
CredentialCheck login(const Secret& password, const std::optional<Identity>& identity = device(),
                      const std::optional<Policy>& named = std::nullopt) {
    return judge_device_login({"dev-01", ""}, password, identity, named, hub, now);
}

TEST(DeviceLogin, IsGrantedWithEitherKey) {
    EXPECT_TRUE(login(device_token(device_key)).granted());
    EXPECT_TRUE(login(device_token(other_key)).granted());
}

TEST(DeviceLogin, TellsWhenTheTokenExpires) {
    EXPECT_EQ(login(device_token(device_key)).expiry, later);
    EXPECT_EQ(login(device_token(policy_key)).expiry, 0);
}

TEST(DeviceLogin, StandsAsLongAsNothingItRestsOnChanged) {
    const auto by_device = credential_of(Credential::Kind::device_key, device_key);
    EXPECT_TRUE(still_admits({std::nullopt, device()}, by_device));
    EXPECT_FALSE(still_admits({std::nullopt, device(false)}, by_device)) << "disabled";
    EXPECT_FALSE(still_admits({std::nullopt, std::nullopt}, by_device)) << "removed";
    EXPECT_FALSE(still_admits({std::nullopt, device()}, credential_of(Credential::Kind::device_key, policy_key)));
    const auto by_policy = credential_of(Credential::Kind::policy_key, policy_key);
    EXPECT_TRUE(still_admits({policy(device_connect), device()}, by_policy));
    EXPECT_FALSE(still_admits({policy(device_connect), device(false)}, by_policy));
    EXPECT_FALSE(still_admits({policy(service_connect), device()}, by_policy)) << "lost its permission";
    EXPECT_FALSE(still_admits({std::nullopt, device()}, by_policy)) << "the policy is gone";
    EXPECT_FALSE(still_admits({Policy{"gate", {device_key, other_key}, device_connect}, device()}, by_policy))
        << "its key was renewed";
}

TEST(DeviceLogin, AcceptsEveryNameOfTheHub) {
    EXPECT_TRUE(login(iothub::make_sas_token("127.0.0.1/devices/dev-01", device_key, later)).granted());
    EXPECT_TRUE(login(iothub::make_sas_token("HUB1.iot.example/devices/dev-01", device_key, later)).granted());
}

TEST(DeviceLogin, AcceptsTheTokenOfTheCSdk) {
    const Secret token(
        "SharedAccessSignature "
        "sr=hub1.iot.example/devices/dev-01&sig=hG2O%2fQ7k%2bNMq2r4jYkkt7YbsC1ik0paLwTgqWsUHfVg%3d"
        "&se=1893456000");
    EXPECT_TRUE(login(token).granted());
}

TEST(DeviceLogin, RefusesWhatIsNoToken) {
    EXPECT_EQ(login(Secret("")).denial.value().reason, Reason::malformed);
    EXPECT_EQ(login(Secret("SharedAccessSignature sr=hub1.iot.example")).denial.value().reason, Reason::malformed);
    EXPECT_EQ(login(device_key).denial.value().reason, Reason::malformed);
}

TEST(DeviceLogin, RefusesAForeignKey) {
    EXPECT_EQ(login(device_token(policy_key)).denial.value().reason, Reason::wrong_key);
}

TEST(DeviceLogin, RefusesAnExpiredTokenButAllowsForASlowClock) {
    const auto late = login(device_token(device_key, now - 86'400));
    EXPECT_EQ(late.denial.value().reason, Reason::expired);
    EXPECT_EQ(to_string(late.denial.value()),
              "the token has expired 86400 s ago by this hub's clock; one of the two clocks may be wrong");
    EXPECT_TRUE(login(device_token(device_key, now - 60)).granted());
}

TEST(DeviceLogin, RefusesATokenForAnotherDevice) {
    EXPECT_EQ(login(device_token(device_key, later, "dev-0")).denial.value().reason, Reason::wrong_scope);
    EXPECT_EQ(login(device_token(device_key, later, "dev-011")).denial.value().reason, Reason::wrong_scope);
}

TEST(DeviceLogin, RefusesATokenForAnotherHub) {
    const auto token = iothub::make_sas_token("hub2.iot.example/devices/dev-01", device_key, later);
    EXPECT_EQ(login(token).denial.value().reason, Reason::wrong_scope);
}

TEST(DeviceLogin, RefusesAStranger) {
    EXPECT_EQ(login(device_token(device_key), std::nullopt).denial.value().reason, Reason::unknown_identity);
}

TEST(DeviceLogin, RefusesADisabledDevice) {
    EXPECT_EQ(login(device_token(device_key), device(false)).denial.value().reason, Reason::disabled);
}

TEST(DeviceLogin, JudgesModulesByTheirOwnKeyAndScope) {
    const Target target{"dev-01", "tunnel"};
    const Identity module{target, true, KeyPair{other_key, other_key}, ""};
    const auto resource = iothub::device_resource(host, "dev-01", "tunnel");
    const auto own = iothub::make_sas_token(resource, other_key, later);
    const auto devices = iothub::make_sas_token(resource, device_key, later);
    EXPECT_TRUE(judge_device_login(target, own, module, std::nullopt, hub, now).granted());
    EXPECT_EQ(judge_device_login(target, devices, module, std::nullopt, hub, now).denial.value().reason,
              Reason::wrong_key);
    EXPECT_EQ(judge_device_login({"dev-01", ""}, own, device(), std::nullopt, hub, now).denial.value().reason,
              Reason::wrong_scope);
}

TEST(DeviceLogin, IsGrantedByAPolicyThatMayConnectDevices) {
    const auto token = iothub::make_sas_token(host, policy_key, later, "gate");
    EXPECT_TRUE(login(token, device(), policy(device_connect)).granted());
}

TEST(DeviceLogin, RefusesAPolicyWithoutThatPermission) {
    const auto token = iothub::make_sas_token(host, policy_key, later, "gate");
    EXPECT_EQ(login(token, device(), policy(service_connect)).denial.value().reason, Reason::no_permission);
}

TEST(DeviceLogin, RefusesAnUnknownPolicyEvenWithTheDevicesKey) {
    const auto token = iothub::make_sas_token(iothub::device_resource(host, "dev-01"), device_key, later, "gate");
    EXPECT_EQ(login(token).denial.value().reason, Reason::unknown_policy);
}

TEST(DeviceLogin, DoesNotLetAPolicyConjureADevice) {
    const auto token = iothub::make_sas_token(host, policy_key, later, "gate");
    EXPECT_EQ(login(token, std::nullopt, policy(device_connect)).denial.value().reason, Reason::unknown_identity);
}

CredentialCheck request(const Secret& token, const std::optional<Policy>& named = policy(service_connect)) {
    return judge_service_request(token, named, hub, now);
}
Secret service_token(const Secret& key, std::int64_t expiry = later) {
    return iothub::make_sas_token(host, key, expiry, "gate");
}

TEST(ServiceRequest, IsGrantedWithEitherKeyOfThePolicy) {
    EXPECT_TRUE(request(service_token(policy_key)).granted());
    EXPECT_TRUE(request(service_token(other_key)).granted());
}

TEST(ServiceRequest, RefusesTokensThatNameNoPolicy) {
    EXPECT_EQ(request(iothub::make_sas_token(host, policy_key, later)).denial.value().reason, Reason::unknown_policy);
    EXPECT_EQ(request(service_token(policy_key), std::nullopt).denial.value().reason, Reason::unknown_policy);
}

TEST(ServiceRequest, RefusesADevicesCredential) {
    EXPECT_EQ(request(device_token(device_key)).denial.value().reason, Reason::unknown_policy);
}

TEST(ServiceRequest, RefusesAPolicyWithoutThePermission) {
    EXPECT_EQ(request(service_token(policy_key), policy(device_connect)).denial.value().reason, Reason::no_permission);
}

TEST(ServiceRequest, WantsThePermissionThatIsNeeded) {
    const auto reads = [](const Permissions& has) {
        return judge_service_request(service_token(policy_key), policy(has), hub, now, &Permissions::registry_read);
    };
    EXPECT_TRUE(reads({.registry_read = true}).granted());
    const Permissions all_others{.registry_write = true, .service_connect = true, .device_connect = true};
    EXPECT_EQ(reads(all_others).denial.value().reason, Reason::no_permission);
}

TEST(ServiceRequest, RefusesForeignKeysOldTokensAndNarrowScopes) {
    EXPECT_EQ(request(service_token(device_key)).denial.value().reason, Reason::wrong_key);
    EXPECT_EQ(request(service_token(policy_key, now - 3600)).denial.value().reason, Reason::expired);
    const auto narrow = iothub::make_sas_token(iothub::device_resource(host, "dev-01"), policy_key, later, "gate");
    EXPECT_EQ(request(narrow).denial.value().reason, Reason::wrong_scope);
    EXPECT_EQ(request(Secret("Bearer abc")).denial.value().reason, Reason::malformed);
}

TEST(AccessCheck, AsksTheRegistryForIdentityAndPolicy) {
    test::ManualClock clock;
    SqliteRegistry registry(SqliteRegistry::in_memory, SqliteRegistry::Mode::create_new, clock);
    block_on(registry.add({"dev-01", ""}, KeyPair{device_key, other_key}));
    block_on(registry.add_policy("gate", {.service_connect = true, .device_connect = true}, {policy_key, other_key}));

    const auto by_policy = iothub::make_sas_token(host, policy_key, later, "gate");
    EXPECT_TRUE(
        block_on(check_device_login(registry, {"dev-01", ""}, device_token(device_key), {}, hub, now)).granted());
    EXPECT_TRUE(block_on(check_device_login(registry, {"dev-01", ""}, by_policy, {}, hub, now)).granted());
    EXPECT_TRUE(
        block_on(check_service_request(registry, service_token(policy_key), hub, now, &Permissions::service_connect))
            .granted());
    const auto stranger = block_on(check_device_login(registry, {"dev-02", ""}, by_policy, {}, hub, now));
    EXPECT_EQ(stranger.denial.value().reason, Reason::unknown_identity);
}

TEST(AccessCheck, NamesEveryReasonWithoutAQuoteFromTheCredential) {
    for (int reason = 0; reason <= static_cast<int>(Reason::expired_certificate); ++reason)
        EXPECT_NE(to_string(static_cast<Reason>(reason)), "denied");
}

}  // namespace
}  // namespace device_streams::hub
