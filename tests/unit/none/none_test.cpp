// What a system has to offer that has none of these: the files named *_none.cpp, which this one does not build.
#include "common/app/privileges.hpp"
#include "common/app/service_manager.hpp"
#include "common/base/error.hpp"
#include "common/net/inherited_sockets.hpp"

#include <gtest/gtest.h>

namespace device_streams {
namespace {

TEST(Without, AServiceManagerNothingIsToldAndNothingIsHeard) {
    service_manager::ready();
    service_manager::reloading();
    service_manager::stopping();
    service_manager::status("at work");
    service_manager::handed_over();
    EXPECT_EQ(service_manager::watchdog_beat(), std::nullopt);
    EXPECT_TRUE(service_manager::alive());
    EXPECT_TRUE(service_manager::take_listening_sockets().empty());
}

TEST(Without, InheritedSocketsEachListenerBindsItsOwn) {
    InheritedSockets inherited(service_manager::take_listening_sockets());
    EXPECT_EQ(inherited.duplicate({.host = "127.0.0.1", .port = 1, .path = {}}), no_socket);
    EXPECT_TRUE(inherited.unused().empty());
}

TEST(Without, OtherUsersAProgramStaysWhoItIs) {
    EXPECT_FALSE(is_root());
    EXPECT_NO_THROW(become({}));
    EXPECT_NO_THROW(keep_no_privileges());
}

TEST(Without, OtherUsersAConfiguredOneIsRefused) {
    for (const RunAs& who : {RunAs{.user = "nobody", .group = {}}, RunAs{.user = {}, .group = "nogroup"}}) {
        try {
            become(who);
            FAIL() << who.user << who.group;
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.errc(), Errc::config_invalid);
        }
    }
}

}  // namespace
}  // namespace device_streams
