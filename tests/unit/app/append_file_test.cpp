#include "common/app/append_file.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <system_error>

namespace device_streams {
namespace {

class AppendFileTest : public testing::Test {
 protected:
    AppendFileTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "append-XXXXXX").string();
        folder = ::mkdtemp(pattern.data());
        path = folder / "records";
    }
    ~AppendFileTest() override { std::filesystem::remove_all(folder); }
    std::string text() const {
        std::ostringstream all;
        all << std::ifstream(path).rdbuf();
        return all.str();
    }

    std::filesystem::path folder, path;
    AppendFile file;
};

TEST_F(AppendFileTest, NewFileIsNotForEverybody) {
    const auto umask = ::umask(022);
    file.open(path);
    ::umask(umask);
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0640U);
}

TEST_F(AppendFileTest, AddsToWhatIsThere) {
    std::ofstream(path) << "old\n";
    file.open(path);
    file.append("new\n");
    EXPECT_EQ(text(), "old\nnew\n");
}

TEST_F(AppendFileTest, OpeningAgainFindsTheNewFile) {
    file.open(path);
    file.append("one\n");
    std::filesystem::rename(path, folder / "records.1");
    file.append("two\n");
    file.open(path);
    file.append("three\n");
    EXPECT_EQ(text(), "three\n");
}

TEST_F(AppendFileTest, FullDiskThrows) {
    file.open("/dev/full");
    EXPECT_THROW(file.append("line\n"), std::system_error);
}

TEST_F(AppendFileTest, PathThatCannotBeMadeThrows) {
    EXPECT_THROW(file.open(folder / "missing" / "records"), std::system_error);
    EXPECT_FALSE(file.is_open());
}

TEST_F(AppendFileTest, FifoThatNobodyReadsThrowsAtOnce) {
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_THROW(file.open(path), std::system_error);
}

TEST_F(AppendFileTest, LineThatWasCutIsEndedBeforeTheNext) {
    auto* const before = std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
    const rlimit small{8, limit.rlim_max};
    file.open(path);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    EXPECT_THROW(file.append("a long line\n"), std::system_error);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    std::signal(SIGXFSZ, before);
    file.append("whole\n");
    EXPECT_EQ(text(), "a long l\nwhole\n");
}

TEST_F(AppendFileTest, KnowsItsSizeAlsoOfWhatWasThereBefore) {
    std::ofstream(path) << "12345";
    file.open(path);
    EXPECT_EQ(file.size(), 5U);
    file.append("678\n");
    EXPECT_EQ(file.size(), 9U);
    file.open("/dev/null");
    EXPECT_EQ(file.size(), 0U);
}

TEST_F(AppendFileTest, OlderFilesAreShiftedAndTheLastOneGoes) {
    for (const auto* day : {"monday", "tuesday", "wednesday"}) {
        std::ofstream(path) << day;
        shift_files(path, 2);
        EXPECT_FALSE(std::filesystem::exists(path));
    }
    std::string newest, older;
    std::ifstream(path.string() + ".1") >> newest;
    std::ifstream(path.string() + ".2") >> older;
    EXPECT_EQ(newest, "wednesday");
    EXPECT_EQ(older, "tuesday");
    EXPECT_FALSE(std::filesystem::exists(path.string() + ".3"));
    std::filesystem::remove(path.string() + ".1");
    std::filesystem::create_directory(path.string() + ".1");
    std::ofstream(path) << "thursday";
    EXPECT_THROW(shift_files(path, 1), std::system_error);
}

}  // namespace
}  // namespace device_streams
