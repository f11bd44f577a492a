#include "service-proxy/last_error.hpp"

#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

namespace device_streams::service {
namespace {

namespace fs = std::filesystem;

class LastError : public testing::Test {
 protected:
    std::string kept() const {
        std::ostringstream all;
        all << std::ifstream(file).rdbuf();
        return all.str();
    }

    test::ScratchFolder folder;
    const fs::path file = fs::path(folder / "state") / "device-streams" / "last-error";
};

const Failure offline(Errc::device_offline, "pump-18");
const Failure unknown(Errc::device_unknown, "pump-17");

TEST_F(LastError, IsTheLastOneWithItsDestination) {
    keep_last_error(file, "pump-17/ssh", unknown);
    keep_last_error(file, "pump-18/ssh", offline);
    const auto text = kept();
    EXPECT_TRUE(text.starts_with(R"({"time":"20)")) << text;
    EXPECT_NE(text.find(R"("message":"DS-303 the device is offline: pump-18. )"), std::string::npos) << text;
    EXPECT_TRUE(text.ends_with(R"("destination":"pump-18/ssh"})"
                               "\n"))
        << text;
}

TEST_F(LastError, IsForItsOwnerOnlyAndLeavesNothingElse) {
    const auto umask = ::umask(0);
    keep_last_error(file, "a", unknown);
    keep_last_error(file, "b", unknown);
    ::umask(umask);
    EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(fs::status(file.parent_path()).permissions(), fs::perms::owner_all);
    EXPECT_EQ(std::distance(fs::directory_iterator(file.parent_path()), fs::directory_iterator()), 1);
}

TEST_F(LastError, ThatCannotBeKeptIsNoFurtherFault) {
    std::ofstream(folder / "state") << "a file in the way";
    keep_last_error(file, "a", unknown);
    keep_last_error({}, "a", unknown);
    EXPECT_FALSE(fs::exists(file));
}

TEST_F(LastError, ReplacesALinkAndNotWhatItLeadsTo) {
    fs::create_directories(file.parent_path());
    std::ofstream(folder / "other") << "untouched";
    fs::create_symlink(folder / "other", file);
    keep_last_error(file, "a", unknown);
    EXPECT_FALSE(fs::is_symlink(file));
    std::ifstream other(folder / "other");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(other), {}), "untouched");
}

// Restores what it changes of the environment.
class Variable {
 public:
    Variable(const char* name, const char* value) : name_(name), before_(std::getenv(name) ? std::getenv(name) : "") {
        if (value != nullptr) ::setenv(name, value, 1);
        if (value == nullptr) ::unsetenv(name);
    }
    ~Variable() {
        if (before_.empty()) ::unsetenv(name_);
        if (!before_.empty()) ::setenv(name_, before_.c_str(), 1);
    }

 private:
    const char* name_;
    const std::string before_;
};

fs::path where(const char* state, const char* home) {
    const Variable state_home("XDG_STATE_HOME", state), own_home("HOME", home);
    return last_error_file();
}

TEST(LastErrorFile, IsInTheUsersStateDirectory) {
    EXPECT_EQ(where("/s", "/home/u"), "/s/device-streams/last-error");
    EXPECT_EQ(where(nullptr, "/home/u"), "/home/u/.local/state/device-streams/last-error");
    EXPECT_EQ(where("relative", "/home/u"), "/home/u/.local/state/device-streams/last-error");
    EXPECT_EQ(where(nullptr, nullptr), "");
}

}  // namespace
}  // namespace device_streams::service
