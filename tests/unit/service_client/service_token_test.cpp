#include "common/service_client/service_token.hpp"

#include "common/base/error.hpp"
#include "common/iothub/sas_token.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

namespace device_streams::service {
namespace {

using std::chrono::minutes;

iothub::ConnectionString credential() {
    iothub::ConnectionString text;
    text.host_name = "hub1.iot.example";
    text.policy = "service";
    text.key = Secret("ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=");
    return text;
}

std::int64_t expiry(const Secret& token) {
    return iothub::parse_sas_token(token.reveal()).value().expiry;
}

TEST(ServiceToken, IsSignedForTheHubWithThePolicysKey) {
    test::ManualClock clock;
    ServiceToken token(credential());
    const auto parts = iothub::parse_sas_token(token.current(clock).reveal()).value();
    EXPECT_TRUE(parts.signed_by(credential().key));
    EXPECT_TRUE(parts.covers("hub1.iot.example"));
    EXPECT_EQ(parts.policy, "service");
    EXPECT_EQ(parts.expiry, clock.unix_seconds() + 3'600);
}

TEST(ServiceToken, IsKeptUntilFourFifthsOfItsLife) {
    test::ManualClock clock;
    ServiceToken token(credential(), minutes(60));
    const auto first = expiry(token.current(clock));
    clock.advance(minutes(48) - std::chrono::seconds(1));
    EXPECT_EQ(expiry(token.current(clock)), first);
    clock.advance(std::chrono::seconds(1));
    EXPECT_EQ(expiry(token.current(clock)), first + 48 * 60);
}

TEST(ServiceToken, IsMadeAgainWhenTheWallClockWentBack) {
    test::ManualClock clock;
    ServiceToken token(credential(), minutes(60));
    clock.set_wall(1'800'000'000);
    token.current(clock);
    clock.set_wall(1'700'000'000);
    EXPECT_EQ(expiry(token.current(clock)), 1'700'003'600);
}

TEST(ServiceToken, IsMadeAgainOnceRefused) {
    test::ManualClock clock;
    ServiceToken token(credential(), minutes(60));
    const auto first = expiry(token.current(clock));
    clock.advance(minutes(1));
    token.forget();
    EXPECT_EQ(expiry(token.current(clock)), first + 60);
}

TEST(ServiceToken, ReadyMadeOneIsUsedAsItIs) {
    test::ManualClock clock;
    iothub::ConnectionString ready;
    ready.token = Secret("SharedAccessSignature sr=a&sig=b&se=1");
    ServiceToken token(ready);
    EXPECT_EQ(token.current(clock).reveal(), "SharedAccessSignature sr=a&sig=b&se=1");
}

TEST(ServiceToken, ExpiresAtOnceByAClockThatIsAheadByItsLifetime) {
    EXPECT_TRUE(ServiceToken(credential(), minutes(60)).expires_at_once(minutes(60)));
    EXPECT_FALSE(ServiceToken(credential(), minutes(60)).expires_at_once(minutes(59)));
    iothub::ConnectionString ready;
    ready.token = Secret("SharedAccessSignature sr=a&sig=b&se=1");
    EXPECT_FALSE(ServiceToken(ready, minutes(60)).expires_at_once(minutes(60)));
}

TEST(ServiceToken, KeyThatIsNotBase64IsACredentialFault) {
    test::ManualClock clock;
    auto broken = credential();
    broken.key = Secret("not base64!");
    ServiceToken token(broken);
    try {
        token.current(clock);
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.errc(), Errc::credential_malformed);
        EXPECT_EQ(failure.detail().find("not base64!"), std::string::npos);
    }
}

}  // namespace
}  // namespace device_streams::service
