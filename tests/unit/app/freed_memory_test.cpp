#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <malloc.h>
#include <new>
#include <string>
#include <string_view>

namespace device_streams {
namespace {

constexpr std::size_t pointers_of_the_heap = 16;  // which it writes into what is free

// The heap gives out first what came back last.
std::string left_behind(std::size_t size) {
    auto* const again = static_cast<char*>(std::malloc(size));
    std::string text(again, size);
    std::free(again);
    return text.substr(pointers_of_the_heap);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(FreedMemory, HoldsNothingOfWhatItHeld) {
    for (const std::size_t size : {40, 200, 1000}) {
        auto* const block = static_cast<char*>(::operator new(size));
        std::fill_n(block, size, 'k');
        ::operator delete(block);
        const auto left = left_behind(size);
        EXPECT_EQ(left.find('k'), std::string::npos) << size;
    }
}

TEST(FreedMemory, IsWipedUnderAStringToo) {
    constexpr std::size_t size = 300;
    { std::string text(size - 1, 'k'); }
    EXPECT_EQ(left_behind(size).find('k'), std::string::npos);
}
#endif

}  // namespace
}  // namespace device_streams
