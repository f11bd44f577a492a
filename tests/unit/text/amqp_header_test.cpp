#include "common/text/amqp_header.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

using namespace std::string_view_literals;

TEST(AmqpHeader, IsKnownByItsFirstFiveBytes) {
    EXPECT_TRUE(begins_as_amqp("AMQP\x00\x01\x00\x00"sv));
    EXPECT_TRUE(begins_as_amqp("AMQP\x03\x01\x00\x00"sv));
    EXPECT_TRUE(begins_as_amqp("AMQP\x02"sv));
}

TEST(AmqpHeader, NothingElseIs) {
    for (const auto text : {""sv, "AMQ"sv, "AMQP"sv, "AMQP / HTTP/1.1"sv, "amqp\x00"sv, "AMQP\x01"sv, "xAMQP\x00"sv})
        EXPECT_FALSE(begins_as_amqp(text)) << text;
}

}  // namespace
}  // namespace device_streams
