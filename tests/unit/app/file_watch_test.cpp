#include "common/app/file_watch.hpp"

#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace device_streams {
namespace {

using Files = std::vector<std::string>;

FileStamp stamp(std::uint64_t inode) {
    return {.exists = true, .inode = inode};
}

/// A watch over files that exist in the test's mind only.
struct Watched {
    std::map<std::string, FileStamp> disk{{"a", stamp(1)}, {"b", stamp(2)}};
    FileWatch watch{[this](const std::string& file) { return disk[file]; }};
    Watched() { watch.know(watch.look({"a", "b"})); }
};

TEST(FileWatch, SaysNothingWhileNothingChanges) {
    Watched files;
    EXPECT_EQ(files.watch.settled_changes(), Files{});
    EXPECT_EQ(files.watch.settled_changes(), Files{});
}

TEST(FileWatch, NamesAFileOnceItHasStayedAsItIs) {
    Watched files;
    files.disk["b"] = stamp(7);
    EXPECT_EQ(files.watch.settled_changes(), Files{});
    files.disk["b"].size = 100;  // still being written
    EXPECT_EQ(files.watch.settled_changes(), Files{});
    EXPECT_EQ(files.watch.settled_changes(), Files{"b"});
}

TEST(FileWatch, WaitsUntilAllFilesHaveSettled) {
    Watched files;
    files.disk["a"] = stamp(7);
    EXPECT_EQ(files.watch.settled_changes(), Files{});
    files.disk["b"] = stamp(8);
    EXPECT_EQ(files.watch.settled_changes(), Files{});
    EXPECT_EQ(files.watch.settled_changes(), (Files{"a", "b"}));
}

TEST(FileWatch, NamesAFileUntilItIsKnown) {
    Watched files;
    files.disk["a"] = stamp(7);
    static_cast<void>(files.watch.settled_changes());
    EXPECT_EQ(files.watch.settled_changes(), Files{"a"});
    EXPECT_EQ(files.watch.settled_changes(), Files{"a"});
    files.watch.know(files.watch.look({"a", "b"}));
    EXPECT_EQ(files.watch.settled_changes(), Files{});
}

TEST(FileWatch, ChangeBetweenLookAndKnowIsNotMissed) {
    Watched files;
    auto stamps = files.watch.look({"a", "b"});
    files.disk["a"] = stamp(7);
    files.watch.know(std::move(stamps));
    static_cast<void>(files.watch.settled_changes());
    EXPECT_EQ(files.watch.settled_changes(), Files{"a"});
}

TEST(FileWatch, FileThatGoesAwayHasChanged) {
    Watched files;
    files.disk["a"] = {};
    static_cast<void>(files.watch.settled_changes());
    EXPECT_EQ(files.watch.settled_changes(), Files{"a"});
}

TEST(FileWatch, ForgetsFilesThatAreNotNamedAnyMore) {
    Watched files;
    files.watch.know(files.watch.look({"a"}));
    files.disk["b"] = stamp(7);
    static_cast<void>(files.watch.settled_changes());
    EXPECT_EQ(files.watch.settled_changes(), Files{});
}

TEST(StampOf, DiffersForReplacedContentOfTheSameSize) {
    const test::ScratchFolder folder;
    const auto file = folder.write("cert.pem", "old");
    const auto before = stamp_of(file);
    EXPECT_EQ(before, stamp_of(file));
    std::filesystem::rename(folder.write("new.pem", "new"), file);
    EXPECT_NE(before, stamp_of(file));
}

// As Kubernetes does it: the files are links into a folder that is itself a link, which is swapped.
TEST(StampOf, DiffersWhenALinkOnTheWayIsSwapped) {
    const test::ScratchFolder folder;
    for (const auto* version : {"1", "2"}) {
        std::filesystem::create_directory(folder / version);
        folder.write(std::string(version) + "/cert.pem", "pem");
    }
    std::filesystem::create_directory_symlink("1", folder / "data");
    std::filesystem::create_symlink("data/cert.pem", folder / "cert.pem");
    const auto before = stamp_of(folder / "cert.pem");
    std::filesystem::create_directory_symlink("2", folder / "fresh");
    std::filesystem::rename(folder / "fresh", folder / "data");
    EXPECT_NE(before, stamp_of(folder / "cert.pem"));
}

TEST(StampOf, MissingFileDoesNotExist) {
    EXPECT_FALSE(stamp_of("/nowhere/cert.pem").exists);
}

}  // namespace
}  // namespace device_streams
