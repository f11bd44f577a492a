#include "common/ws/frame.hpp"

#include "tests/unit/ws/fake_transport.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace device_streams::ws {
namespace {

using test::bytes_of;
using test::from_hex;
using test::text_of;
using test::to_hex;

constexpr MaskingKey example_key{std::byte(0x37), std::byte(0xfa), std::byte(0x21), std::byte(0x3d)};

std::string header_hex(const FrameHeader& header) {
    std::array<std::byte, longest_header> room;
    const auto size = write_header_before(room.data() + room.size(), header);
    return to_hex(text_of(ReadableBytes(room).last(size)));
}

std::optional<FrameHeader> read(const std::string& hex, std::size_t& size) {
    return read_header(bytes_of(from_hex(hex)), size);
}

TEST(FrameHeader, ClientFrameOf65536BytesMatchesTheVector) {
    EXPECT_EQ(header_hex({.opcode = Opcode::binary, .fin = true, .length = 65'536, .mask = example_key}),
              "82ff000000000001000037fa213d");
}

TEST(FrameHeader, HubFrameOf65535BytesMatchesTheVector) {
    EXPECT_EQ(header_hex({.opcode = Opcode::binary, .fin = true, .length = 65'535, .mask = {}}), "827effff");
}

TEST(FrameHeader, EmptyClientFramesMatchTheVectors) {
    EXPECT_EQ(header_hex({.opcode = Opcode::binary, .fin = true, .length = 0, .mask = example_key}), "828037fa213d");
    EXPECT_EQ(header_hex({.opcode = Opcode::close, .fin = true, .length = 0, .mask = example_key}), "888037fa213d");
}

TEST(FrameHeader, LengthsTakeTheShortestForm) {
    const auto hex = [](std::uint64_t length) {
        return header_hex({.opcode = Opcode::binary, .fin = true, .length = length, .mask = {}});
    };
    EXPECT_EQ(hex(125), "827d");
    EXPECT_EQ(hex(126), "827e007e");
    EXPECT_EQ(hex(65'535), "827effff");
    EXPECT_EQ(hex(65'536), "827f0000000000010000");
}

TEST(FrameHeader, EveryFormIsReadBack) {
    for (const std::uint64_t length : {0ULL, 1ULL, 125ULL, 126ULL, 65'535ULL, 65'536ULL, 0x7fffffffffffffffULL}) {
        for (const bool masked : {false, true}) {
            FrameHeader header{.opcode = Opcode::text, .fin = false, .length = length, .mask = {}};
            if (masked) header.mask = example_key;
            const auto hex = header_hex(header);
            for (std::size_t known = 0; known < hex.size() / 2; ++known) {
                std::size_t size = 0;
                EXPECT_FALSE(read(hex.substr(0, 2 * known), size)) << hex << " at " << known;
            }
            std::size_t size = 0;
            const auto back = read(hex + "ffff", size);
            ASSERT_TRUE(back) << hex;
            EXPECT_EQ(size, hex.size() / 2);
            EXPECT_EQ(back->opcode, header.opcode);
            EXPECT_EQ(back->fin, header.fin);
            EXPECT_EQ(back->length, header.length);
            EXPECT_EQ(back->mask, header.mask);
        }
    }
}

class RefusedHeader : public testing::TestWithParam<const char*> {};

TEST_P(RefusedHeader, IsAProtocolViolation) {
    std::size_t size = 0;
    try {
        read(GetParam(), size);
        FAIL() << "was accepted";
    } catch (const StreamError& refused) {
        EXPECT_EQ(refused.close_reason(), CloseReason::protocol_violation);
    }
}

INSTANTIATE_TEST_SUITE_P(Headers, RefusedHeader,
                         testing::Values("c2", "a2", "92",          // reserved bits
                                         "83", "87", "8b", "8f",    // unknown opcodes
                                         "08", "09", "0a",          // fragmented control frames
                                         "897e", "897f", "88fe",    // long control frames
                                         "827e0000", "827e007d",    // not the shortest form
                                         "827f000000000000ffff",    //
                                         "827f8000000000000000"));  // top bit

TEST(Mask, ExamplePayloadMatchesTheVector) {
    auto payload = bytes_of("SSH-2.0-x\r\n");
    apply_mask(payload, example_key, 0);
    EXPECT_EQ(to_hex(text_of(payload)), "64a9691005d411104ff72b");
}

TEST(Mask, EveryLengthOffsetAndAlignmentEqualsTheDefinition) {
    std::vector<std::byte> plain(80);
    for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = std::byte(i * 7 + 1);
    for (std::size_t start = 0; start < 8; ++start) {
        for (std::size_t size = 0; size + start <= 70; ++size) {
            for (std::uint64_t offset = 0; offset < 9; ++offset) {
                auto masked = plain;
                apply_mask(WritableBytes(masked).subspan(start, size), example_key, offset);
                for (std::size_t i = 0; i < plain.size(); ++i) {
                    const bool inside = i >= start && i < start + size;
                    const auto key = inside ? example_key[(offset + i - start) % 4] : std::byte(0);
                    ASSERT_EQ(masked[i], plain[i] ^ key) << start << ' ' << size << ' ' << offset << ' ' << i;
                }
            }
        }
    }
}

TEST(Mask, KeysAreFresh) {
    std::set<MaskingKey> keys;
    for (int i = 0; i < 3000; ++i) keys.insert(fresh_masking_key());
    EXPECT_GT(keys.size(), 2990U);
}

}  // namespace
}  // namespace device_streams::ws
