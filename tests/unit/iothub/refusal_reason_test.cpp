#include "common/iothub/refusal_reason.hpp"

#include <gtest/gtest.h>

namespace device_streams::iothub {
namespace {

TEST(RefusalReason, IsOneOfTheFewThatADeviceMayGive) {
    int count = 0;
    for (const auto& info : error_table()) {
        const auto name = wire_name(info.code);
        EXPECT_EQ(parse_refusal_reason(info.id).has_value(), name.has_value()) << info.id;
        if (!name) continue;
        ++count;
        EXPECT_EQ(*name, info.id);
        EXPECT_EQ(parse_refusal_reason(*name), info.code);
        EXPECT_TRUE(info.id.starts_with("DS-4") || info.code == Errc::out_of_descriptors) << info.id;
    }
    EXPECT_EQ(count, 6);
}

}  // namespace
}  // namespace device_streams::iothub
