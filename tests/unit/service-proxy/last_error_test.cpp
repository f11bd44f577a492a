#include "service-proxy/last_error.hpp"

#include "tests/support/captured_log.hpp"
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
    const std::shared_ptr<test::CapturedLog> lines = std::make_shared<test::CapturedLog>();
    const Log log{keep_last_error(lines, file)};
};

TEST_F(LastError, IsTheLastWarningOrError) {
    log.warning("no stream: DS-302", {{"device", "pump-17"}});
    log.error("no stream: DS-303", {{"device", "pump-18"}});
    log.info("stream opened");
    const auto text = kept();
    EXPECT_TRUE(text.starts_with(R"({"time":"20)")) << text;
    EXPECT_TRUE(text.ends_with(R"("level":"error","message":"no stream: DS-303","device":"pump-18"})"
                               "\n"))
        << text;
    EXPECT_EQ(lines->lines().size(), 3u) << "all are told";
}

TEST_F(LastError, IsNotThereWithoutOne) {
    log.info("stream opened");
    EXPECT_FALSE(fs::exists(file.parent_path()));
}

TEST_F(LastError, IsForItsOwnerOnlyAndLeavesNothingElse) {
    const auto umask = ::umask(0);
    log.warning("first");
    log.warning("second");
    ::umask(umask);
    EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(fs::status(file.parent_path()).permissions(), fs::perms::owner_all);
    EXPECT_EQ(std::distance(fs::directory_iterator(file.parent_path()), fs::directory_iterator()), 1);
}

TEST_F(LastError, ThatCannotBeKeptIsToldAllTheSame) {
    std::ofstream(folder / "state") << "a file in the way";
    log.warning("careful");
    EXPECT_TRUE(lines->contains("warning careful"));
}

TEST_F(LastError, ReplacesALinkAndNotWhatItLeadsTo) {
    fs::create_directories(file.parent_path());
    std::ofstream(folder / "other") << "untouched";
    fs::create_symlink(folder / "other", file);
    log.warning("careful");
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
