#include "common/app/socket_path.hpp"

#include "common/base/error.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sys/stat.h>

namespace device_streams {
namespace {

namespace fs = std::filesystem;

class SocketPathTest : public testing::Test {
 protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "socket-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder = pattern;
        path = folder / "admin.sock";
    }
    void TearDown() override { fs::remove_all(folder); }

    // As bind(2) leaves it.
    static void make_socket(const fs::path& where) { ASSERT_EQ(::mknod(where.c_str(), S_IFSOCK | 0600, 0), 0); }
    static void bind_and_take(SocketPath& owner) {
        make_socket(owner.birthplace());
        owner.take();
    }
    static ino_t inode(const fs::path& where) {
        struct stat file {};
        return ::stat(where.c_str(), &file) == 0 ? file.st_ino : 0;
    }
    Errc refused() const {
        try {
            const SocketPath owner(path);
        } catch (const Failure& failure) {
            return failure.errc();
        }
        return Errc::internal;
    }

    fs::path folder, path;
};

TEST_F(SocketPathTest, HoldsTheSocketUntilItsOwnerLeaves) {
    SocketPath owner(path);
    make_socket(owner.birthplace());
    const auto bound = inode(owner.birthplace());
    owner.take();
    EXPECT_EQ(inode(path), bound);
    owner.leave();
    EXPECT_FALSE(fs::exists(path));
    EXPECT_FALSE(fs::exists(owner.birthplace()));
}

TEST_F(SocketPathTest, IsNotLeftTwiceAsASuccessorMayGetTheSameInode) {
    const fs::path kept = folder / "kept";
    {
        SocketPath owner(path);
        make_socket(owner.birthplace());
        fs::create_hard_link(owner.birthplace(), kept);
        owner.take();
        owner.leave();
        fs::create_hard_link(kept, path);
    }
    EXPECT_TRUE(fs::exists(path));
}

TEST_F(SocketPathTest, IsLeftByAnOwnerThatIsDropped) {
    {
        SocketPath owner(path);
        bind_and_take(owner);
    }
    EXPECT_FALSE(fs::exists(path));
}

TEST_F(SocketPathTest, HasOneKeeper) {
    SocketPath owner(path);
    bind_and_take(owner);
    EXPECT_EQ(refused(), Errc::listen_failed);
    EXPECT_TRUE(fs::exists(path));
}

TEST_F(SocketPathTest, PassesToASuccessorWithoutAGap) {
    SocketPath elder(path);
    bind_and_take(elder);
    elder.yield();
    EXPECT_TRUE(fs::exists(path));
    SocketPath heir(path);
    make_socket(heir.birthplace());
    const auto bound = inode(heir.birthplace());
    EXPECT_NE(inode(path), bound) << "the elder serves until the heir can";
    heir.take();
    EXPECT_EQ(inode(path), bound);
    elder.leave();
    EXPECT_EQ(inode(path), bound);
    heir.leave();
    EXPECT_FALSE(fs::exists(path));
}

TEST_F(SocketPathTest, IsRemovedByAnElderWhoseSuccessorNeverCame) {
    SocketPath elder(path);
    bind_and_take(elder);
    elder.yield();
    elder.leave();
    EXPECT_FALSE(fs::exists(path));
}

TEST_F(SocketPathTest, TakesThePlaceOfAProcessThatDied) {
    make_socket(path);
    SocketPath owner(path);
    bind_and_take(owner);
    owner.leave();
    EXPECT_FALSE(fs::exists(path));
}

TEST_F(SocketPathTest, LeavesWhatIsNoSocketAlone) {
    std::ofstream(path) << "mine";
    EXPECT_EQ(refused(), Errc::listen_failed);
    EXPECT_EQ(fs::file_size(path), 4u);
}

TEST_F(SocketPathTest, NeedsAFolder) {
    path = folder / "missing" / "admin.sock";
    EXPECT_EQ(refused(), Errc::state_unusable);
}

}  // namespace
}  // namespace device_streams
