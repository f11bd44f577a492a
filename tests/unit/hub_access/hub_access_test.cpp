#include "common/hub_access/hub_access.hpp"

#include <asio/error.hpp>
#include <gtest/gtest.h>

namespace device_streams {
namespace {

template <typename Error>
Failure failure_for(Error error) {
    return hub_failure(std::make_exception_ptr(std::move(error)), Errc::hub_unreachable, "connecting");
}

TEST(HubAccess, OverrideCountsForTheHubsOwnNameOnly) {
    HubAccess hub;
    hub.host_name = "hub1.iot.example";
    hub.connect_host = "127.0.0.1";
    EXPECT_EQ(hub.route({.host = "HUB1.iot.example", .port = 443, .path = {}}).to_string(), "127.0.0.1:443");
    EXPECT_EQ(hub.route({.host = "streams.example", .port = 443, .path = {}}).to_string(), "streams.example:443");
}

// Asio and the standard library each have a category for the system's errors; a dial may throw either.
TEST(HubFailure, TimeoutsAreToldInEitherCategory) {
    EXPECT_EQ(failure_for(std::system_error(asio::error::timed_out)).errc(), Errc::hub_timeout);
}

TEST(HubFailure, UnknownNamesGarbageAndTheRestAreToldApart) {
    EXPECT_EQ(failure_for(std::system_error(asio::error::host_not_found)).errc(), Errc::hub_name_unknown);
    EXPECT_EQ(failure_for(StreamError(CloseReason::protocol_violation, "garbage")).errc(), Errc::hub_protocol);
    EXPECT_EQ(failure_for(http::MessageError(400, "garbage")).errc(), Errc::hub_protocol);
    EXPECT_EQ(failure_for(std::system_error(asio::error::connection_refused)).errc(), Errc::hub_unreachable);
    EXPECT_EQ(failure_for(std::system_error(asio::error::no_descriptors)).errc(), Errc::out_of_descriptors);
    EXPECT_EQ(failure_for(Failure(Errc::hub_untrusted, "as it is")).errc(), Errc::hub_untrusted);
}

TEST(LegHandshake, CarriesTheTokenAsABearer) {
    const auto open_request = leg_handshake("/bridges/x", Secret("abc.def"), "test/1");
    EXPECT_EQ(open_request.extra.find("Authorization"), "Bearer abc.def");
    EXPECT_EQ(open_request.target, "/bridges/x");
}

TEST(LegHandshake, RefusesWhatCouldBreakOutOfTheRequest) {
    EXPECT_THROW(leg_handshake("/a\r\nX: y", Secret("abc"), "test/1"), Failure);
    EXPECT_THROW(leg_handshake("/a", Secret("abc\r\nX: y"), "test/1"), Failure);
}

}  // namespace
}  // namespace device_streams
