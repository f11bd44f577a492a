#include "common/app/log_target.hpp"

#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <fstream>
#include <sstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace device_streams {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
    std::ostringstream all;
    all << std::ifstream(file).rdbuf();
    return all.str();
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

class LogFile : public testing::Test {
 protected:
    test::ScratchFolder folder;
    const fs::path path = folder / "proxy.log";
    const std::shared_ptr<LogSink> sink = make_file_sink(LogFormat::automatic, path);
    const Log log{sink};
};

TEST_F(LogFile, HasALineOfJsonForEachLine) {
    log.info("started", {{"port", 443}});
    log.warning("care\nful");
    const auto text = text_of(path);
    EXPECT_TRUE(has(text, R"("level":"info","message":"started","port":443})"
                          "\n"))
        << text;
    EXPECT_TRUE(has(text, R"("message":"care\nful"})"
                          "\n"))
        << text;
}

TEST_F(LogFile, IsForItsOwnerOnly) {
    const auto umask = ::umask(0);
    log.info("started");
    ::umask(umask);
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(LogFile, IsAddedTo) {
    std::ofstream(path) << "before\n";
    log.info("started");
    EXPECT_TRUE(text_of(path).starts_with("before\n{"));
}

TEST_F(LogFile, IsMadeAgainOnceItWasRotatedAway) {
    log.info("first");
    fs::rename(path, folder / "proxy.log.1");
    log.info("second");
    EXPECT_TRUE(has(text_of(folder / "proxy.log.1"), "first"));
    EXPECT_FALSE(has(text_of(folder / "proxy.log.1"), "second"));
    EXPECT_TRUE(has(text_of(path), "second"));
    fs::remove(path);
    log.info("third");
    EXPECT_TRUE(has(text_of(path), "third"));
}

TEST_F(LogFile, IsNotWrittenThroughASymbolicLink) {
    fs::create_symlink(folder / "elsewhere", path);
    testing::internal::CaptureStderr();
    log.info("started");
    log.info("still here");
    const auto told = testing::internal::GetCapturedStderr();
    EXPECT_FALSE(fs::exists(folder / "elsewhere"));
    EXPECT_TRUE(has(told, "the log cannot be written")) << told;
    EXPECT_EQ(told.find("the log cannot be written"), told.rfind("the log cannot be written")) << "once";
    EXPECT_TRUE(has(told, "started") && has(told, "still here")) << "no line is lost";
}

TEST_F(LogFile, IsReadableByPeopleIfTheyWantIt) {
    Log(make_file_sink(LogFormat::human, path)).warning("careful", {{"who", "all of you"}});
    const auto text = text_of(path);
    EXPECT_TRUE(text.ends_with(" warning careful who=\"all of you\"\n")) << text;
    EXPECT_TRUE(text.starts_with("20")) << text;
}

// The system's log, as its daemon reads it.
class Syslog : public testing::Test {
 protected:
    Syslog() { listen(); }
    ~Syslog() override { ::close(fd); }
    void listen() {
        fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path.c_str());
        EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }
    std::string next() {
        std::array<char, 4096> room{};
        const auto size = ::recv(fd, room.data(), room.size(), 0);
        return {room.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
    }

    test::ScratchFolder folder;
    const std::string path = folder / "log";
    int fd = -1;
    const Log log{make_syslog_sink("device-proxy", path), LogLevel::debug};
};

TEST_F(Syslog, GetsADatagramForEachLine) {
    log.error("broken\n", {{"who", "all of you"}});
    const auto text = next();
    EXPECT_TRUE(text.starts_with("<27>")) << text;  // daemon.err
    EXPECT_TRUE(text.ends_with(" device-proxy[" + std::to_string(::getpid()) + "]: broken\\n who=\"all of you\""))
        << text;
    log.warning("careful");
    log.info("started");
    log.debug("details");
    EXPECT_TRUE(next().starts_with("<28>"));
    EXPECT_TRUE(next().starts_with("<30>"));
    EXPECT_TRUE(next().starts_with("<31>"));
}

TEST_F(Syslog, IsFoundAgainAfterItsDaemonWasStartedAnew) {
    log.info("first");
    EXPECT_TRUE(has(next(), "first"));
    ::close(fd);
    fs::remove(path);
    testing::internal::CaptureStderr();
    log.info("second");
    const auto told = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(has(told, "the log cannot be written") && has(told, "second")) << told;
    listen();
    log.info("third");
    EXPECT_TRUE(has(next(), "third"));
}

TEST_F(Syslog, DoesNotHoldUpWhoFindsItsQueueFull) {
    testing::internal::CaptureStderr();
    for (int i = 0; i < 10'000; ++i) log.info("line");
    EXPECT_TRUE(has(testing::internal::GetCapturedStderr(), "the log cannot be written"));
    EXPECT_TRUE(has(next(), "line"));
}

}  // namespace
}  // namespace device_streams
