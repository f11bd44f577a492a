#include "common/base/read_file.hpp"

#include "common/base/error.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace device_streams {
namespace {

class ReadFile : public testing::Test {
 protected:
    ReadFile() { std::filesystem::create_directories(folder_); }
    ~ReadFile() override { std::filesystem::remove_all(folder_); }
    std::filesystem::path write(const std::string& name, std::string_view text) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return folder_ / name;
    }
    static std::string failure_of(const std::filesystem::path& path, std::size_t limit = 100) {
        try {
            static_cast<void>(read_file(path, limit));
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.errc(), Errc::file_unreadable);
            return failure.detail();
        }
        return "read";
    }

    const std::filesystem::path folder_ =
        std::filesystem::path(testing::TempDir()) /
        (std::string("ds_") + testing::UnitTest::GetInstance()->current_test_info()->name() + std::to_string(getpid()));
};

TEST_F(ReadFile, ReadsTheWholeFile) {
    EXPECT_EQ(read_file(write("a", "line\r\n\0x")), "line\r\n");
    EXPECT_EQ(read_file(write("b", ""), 10), "");
    EXPECT_EQ(read_file(write("c", "1234567890"), 10), "1234567890");
}

TEST_F(ReadFile, NamesPathAndReasonOfAnUnreadableFile) {
    EXPECT_EQ(failure_of(folder_ / "gone"), (folder_ / "gone").string() + ": No such file or directory");
    EXPECT_EQ(failure_of(folder_), folder_.string() + ": it is a directory");
    EXPECT_EQ(failure_of(write("long", "12345678901"), 10),
              (folder_ / "long").string() + ": it is longer than 10 bytes");
}

TEST_F(ReadFile, EndlessFileIsCutOffAtTheLimit) {
    EXPECT_EQ(failure_of("/dev/zero"), "/dev/zero: it is longer than 100 bytes");
}

}  // namespace
}  // namespace device_streams
