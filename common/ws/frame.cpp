#include "common/ws/frame.hpp"

#include <websocketpp/frame.hpp>

#include <cstring>

namespace device_streams::ws {

namespace {

namespace codec = websocketpp::frame;

// Whatever one byte or two can already tell is refused before the rest arrives.
void check_first_byte(codec::basic_header basic) {
    if (codec::get_rsv1(basic) || codec::get_rsv2(basic) || codec::get_rsv3(basic))
        refuse_frame("reserved frame bits are set");
    const auto opcode = codec::get_opcode(basic);
    if (codec::opcode::reserved(opcode)) refuse_frame("unknown frame opcode");
    if (codec::opcode::is_control(opcode) && !codec::get_fin(basic)) refuse_frame("a control frame is fragmented");
}

void check_second_byte(codec::basic_header basic) {
    const bool long_form = codec::get_basic_size(basic) > codec::limits::payload_size_basic;
    if (codec::opcode::is_control(codec::get_opcode(basic)) && long_form) refuse_frame("a control frame is too long");
}

void check_length(codec::basic_header basic, std::uint64_t length) {
    const auto form = codec::get_basic_size(basic);
    const bool padded = (form == codec::payload_size_code_16bit && length <= codec::limits::payload_size_basic) ||
                        (form == codec::payload_size_code_64bit && length <= codec::limits::payload_size_extended);
    if (padded) refuse_frame("a frame's length is not in its shortest form");
    if (length > codec::limits::payload_size_jumbo) refuse_frame("a frame's length has its top bit set");
}

}  // namespace

void refuse_frame(const char* why) {
    throw StreamError(CloseReason::protocol_violation, why);
}

std::size_t write_header_before(std::byte* end, const FrameHeader& header) {
    const codec::basic_header basic(static_cast<codec::opcode::value>(header.opcode), header.length, header.fin,
                                    header.mask.has_value());
    codec::masking_key_type key{};
    if (header.mask) std::memcpy(key.c, header.mask->data(), header.mask->size());
    const codec::extended_header extended =
        header.mask ? codec::extended_header(header.length, key.i) : codec::extended_header(header.length);
    const auto size = codec::get_header_len(basic);
    std::byte* const begin = end - size;
    begin[0] = std::byte(basic.b0);
    begin[1] = std::byte(basic.b1);
    std::memcpy(begin + 2, extended.bytes, size - 2);
    return size;
}

std::optional<FrameHeader> read_header(ReadableBytes bytes, std::size_t& size) {
    if (bytes.empty()) return std::nullopt;
    codec::basic_header basic(std::to_integer<std::uint8_t>(bytes[0]), 0);
    check_first_byte(basic);
    if (bytes.size() < 2) return std::nullopt;
    basic.b1 = std::to_integer<std::uint8_t>(bytes[1]);
    check_second_byte(basic);
    const auto whole = codec::get_header_len(basic);
    if (bytes.size() < whole) return std::nullopt;
    codec::extended_header extended;
    std::memcpy(extended.bytes, bytes.data() + 2, whole - 2);
    FrameHeader header;
    header.opcode = static_cast<Opcode>(codec::get_opcode(basic));
    header.fin = codec::get_fin(basic);
    header.length = codec::get_payload_size(basic, extended);
    check_length(basic, header.length);
    if (codec::get_masked(basic)) {
        const auto key = codec::get_masking_key(basic, extended);
        std::memcpy(header.mask.emplace().data(), key.c, header.mask->size());
    }
    size = whole;
    return header;
}

}  // namespace device_streams::ws
