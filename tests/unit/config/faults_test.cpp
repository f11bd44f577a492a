#include "common/config/faults.hpp"

#include "common/base/error.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

Errc raised(const Faults& faults) {
    try {
        faults.raise_if_any();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.detail(), faults.text());
        return failure.errc();
    }
    return Errc::internal;
}

TEST(Faults, WritesOneLineEachWithPlaceAndKey) {
    Faults faults;
    faults.add({"a.yaml", 3, 7}, "hub.port", "wrong");
    faults.add({"a.yaml"}, "name", "missing");
    faults.add({.source = "--hub-port", .is_flag = true}, "hub.port", "wrong too");
    EXPECT_EQ(faults.text(), "a.yaml:3:7 hub.port: wrong\na.yaml name: missing\n--hub-port: wrong too");
}

TEST(Faults, NoneRaisesNothing) {
    EXPECT_NO_THROW(Faults().raise_if_any());
}

TEST(Faults, InAFileAreAnInvalidConfiguration) {
    Faults faults;
    faults.add({.source = "-L", .is_flag = true}, "-L", "x");
    faults.add({"a.yaml"}, "name", "missing");
    EXPECT_EQ(raised(faults), Errc::config_invalid);
}

TEST(Faults, OfFlagsAloneAreWrongUsage) {
    Faults faults;
    faults.add({.source = "-L", .is_flag = true}, "-L", "x");
    EXPECT_EQ(raised(faults), Errc::usage);
}

TEST(Faults, ConcernAKeyAndTheKeysAroundIt) {
    Faults faults;
    faults.add({"a.yaml"}, "forwards[0].listen", "x");
    EXPECT_TRUE(faults.concerns("forwards"));
    EXPECT_TRUE(faults.concerns("forwards[0].listen"));
    EXPECT_FALSE(faults.concerns("forward"));
    EXPECT_FALSE(faults.concerns("forwards[0].listener"));
}

TEST(Faults, AreCutOffAfterAHundredLines) {
    Faults faults;
    for (int i = 0; i < 103; ++i) faults.add({"a.yaml"}, "k", "x");
    EXPECT_TRUE(faults.text().ends_with("\nand 3 more faults"));
}

}  // namespace
}  // namespace device_streams
