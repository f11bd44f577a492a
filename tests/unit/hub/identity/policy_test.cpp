#include "hub/identity/policy.hpp"

#include "hub/identity/revocation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace device_streams::hub {
namespace {

using ::testing::HasSubstr;

const iothub::Target pump{"pump-17", {}};
const auto tuesday_noon = parse_moment("2026-11-24T12:00Z"), sunday_noon = parse_moment("2026-11-29T12:00Z");

Policy policy_of(const std::vector<std::string>& rules) {
    Policy policy{"ops", make_key_pair(), {.service_connect = true}, {}};
    for (const auto& text : rules)
        policy.rules.push_back({static_cast<std::int64_t>(policy.rules.size()) + 1, parse_allow_rule(text)});
    return policy;
}

TEST(StreamVerdict, ANewPolicyAllowsNothing) {
    const auto verdict = judge_stream(policy_of({}), pump, "ssh", tuesday_noon);
    EXPECT_FALSE(verdict.allowed);
    EXPECT_EQ(verdict.number, 0);
    EXPECT_EQ(verdict.reason, "the policy has no rules");
}

TEST(StreamVerdict, NamesTheFirstRuleThatAllowsIt) {
    const auto policy = policy_of({"valve-* *", "pump-* rdp,ssh", "* *"});
    const auto verdict = judge_stream(policy, pump, "ssh", tuesday_noon);
    EXPECT_TRUE(verdict.allowed);
    EXPECT_EQ(verdict.number, 2);
    EXPECT_EQ(verdict.rule, "pump-* rdp,ssh");
    EXPECT_EQ(verdict.reason, "rule 2 (pump-* rdp,ssh) allows it");
}

TEST(StreamVerdict, NamesTheRuleThatComesClosestToAllowingIt) {
    const auto policy = policy_of({"pump-* rdp", "pump-* ssh mon-fri UTC", "valve-* *"});
    const auto reason = [&](const iothub::Target& target, std::string_view service) {
        const auto verdict = judge_stream(policy, target, service, sunday_noon);
        EXPECT_FALSE(verdict.allowed);
        return verdict.reason;
    };
    EXPECT_EQ(reason(pump, "ssh"),
              "no rule allows it: rule 2 (pump-* ssh mon-fri UTC) does, but not at 2026-11-29T12:00:00Z");
    EXPECT_EQ(reason(pump, "web"), "no rule allows it: rule 1 (pump-* rdp) is for other services of the device");
    EXPECT_EQ(reason({"fan-1", {}}, "ssh"), "no rule is for this device");
}

TEST(StreamVerdict, WantsThePermissionToOpenStreams) {
    auto policy = policy_of({"* *"});
    policy.permissions = {.registry_read = true};
    EXPECT_THAT(judge_stream(policy, pump, "ssh", tuesday_noon).reason, HasSubstr("no permission ServiceConnect"));
}

class RunningStreamTest : public testing::Test {
 protected:
    ServiceGrant grant_by(const std::string& rule) {
        return {"ops", credential_of(Credential::Kind::policy_key, policy.keys.secondary), "ssh",
                to_string(parse_allow_rule(rule))};
    }
    Revocation after_change(std::vector<Credential> on_lost = {}) {
        return Revocation(PolicyChange{"ops", policy, std::move(on_lost), sunday_noon});
    }
    Policy policy = policy_of({"pump-* ssh mon-fri UTC", "* rdp"});
};

TEST_F(RunningStreamTest, GoesOnWhileItsRuleIsThereWhateverTheTime) {
    EXPECT_FALSE(after_change().covers(pump, grant_by("pump-* ssh mon-fri UTC")));
}

TEST_F(RunningStreamTest, EndsWithTheOnlyRuleThatAllowedIt) {
    EXPECT_TRUE(after_change().covers(pump, grant_by("pump-17 ssh")));
    EXPECT_EQ(after_change().why(), "the policy does not allow it any more");
}

TEST_F(RunningStreamTest, GoesOnWhenAnotherRuleAllowsIt) {
    policy.rules.push_back({3, parse_allow_rule("pump-?? *")});
    EXPECT_FALSE(after_change().covers(pump, grant_by("pump-17 ssh")));
}

TEST_F(RunningStreamTest, EndsWithItsKey) {
    const auto grant = grant_by("pump-* ssh mon-fri UTC");
    const auto on_lost = grant.key;
    policy.keys.primary = make_key_pair().primary;
    EXPECT_FALSE(after_change().covers(pump, grant)) << "it was the other key";
    policy.keys.secondary = make_key_pair().primary;
    EXPECT_TRUE(after_change({on_lost}).covers(pump, grant));
    EXPECT_EQ(after_change({on_lost}).why(), "the policy's key was replaced");
}

TEST_F(RunningStreamTest, EndsWithItsPolicyAndWithNoOther) {
    const auto grant = grant_by("pump-* ssh mon-fri UTC");
    EXPECT_TRUE(Revocation(PolicyChange{"ops", std::nullopt}).covers(pump, grant));
    EXPECT_FALSE(Revocation(PolicyChange{"others", std::nullopt}).covers(pump, grant));
    EXPECT_FALSE(Revocation(pump).covers(pump, grant)) << "that is for its device's login to say";
}

TEST_F(RunningStreamTest, ADevicesLoginEndsWithThePolicysKey) {
    const auto login = credential_of(Credential::Kind::policy_key, policy.keys.primary);
    EXPECT_TRUE(after_change({login}).covers(pump, login));
    EXPECT_FALSE(after_change({grant_by("* *").key}).covers(pump, login));
}

}  // namespace
}  // namespace device_streams::hub
