#pragma once

#include "tests/component/support/hub_under_attack.hpp"

namespace device_streams::hub::frames {

// First bytes: whole messages, control frames, fragments.
constexpr int text = 0x81, binary = 0x82, close = 0x88, ping = 0x89, pong = 0x8a;
constexpr int part = 0x02, more = 0x00, last = 0x80;
inline const std::string question = masked_frame(ping, "?");
inline const std::string key = raw("\1\2\3\4");

inline std::string code(int number, const std::string& reason = "") {
    return std::string{static_cast<char>(number >> 8), static_cast<char>(number & 0xff)} + reason;
}
inline std::string closing(int number, const std::string& reason = "") {
    return masked_frame(close, code(number, reason));
}

/// What no endpoint of a WebSocket may take: 1002 is told, on a stream to both sides.
inline const std::vector<std::pair<const char*, std::string>> violations{
    {"Unmasked", raw("\x82\x01x")},
    {"UnmaskedAndEmpty", raw("\x82\0")},
    {"UnmaskedClose", raw("\x88\x02\x03\xe8")},
    {"UnmaskedPing", raw("\x89\0")},
    {"ReservedBit1", masked_frame(0xc2, "x")},
    {"ReservedBit2", masked_frame(0xa2, "x")},
    {"ReservedBit3", masked_frame(0x92, "x")},
    {"ReservedBitOfAClose", masked_frame(0xc8, code(1000))},
    {"ReservedBitOfAContinuation", masked_frame(part, "") + masked_frame(0xc0, "x")},
    {"Opcode3", masked_frame(0x83, "x")},
    {"Opcode4", masked_frame(0x84, "x")},
    {"Opcode5", masked_frame(0x85, "x")},
    {"Opcode6", masked_frame(0x86, "x")},
    {"Opcode7", masked_frame(0x87, "x")},
    {"OpcodeB", masked_frame(0x8b, "")},
    {"OpcodeC", masked_frame(0x8c, "")},
    {"OpcodeD", masked_frame(0x8d, "")},
    {"OpcodeE", masked_frame(0x8e, "")},
    {"OpcodeF", masked_frame(0x8f, "")},
    {"LengthOf1In16Bits", raw("\x82\xfe\0\x01") + key + "x"},
    {"LengthOf125In16Bits", raw("\x82\xfe\0\x7d") + key + times(125, "x")},
    {"LengthOf1In64Bits", raw("\x82\xff\0\0\0\0\0\0\0\x01") + key + "x"},
    {"LengthOf65535In64Bits", raw("\x82\xff\0\0\0\0\0\0\xff\xff") + key},
    {"LengthWithItsTopBit", raw("\x82\xff\x80\0\0\0\0\0\0\0") + key},
    {"LengthOfAllBits", raw("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff") + key},
    {"PingInFragments", masked_frame(0x09, "a")},
    {"CloseInFragments", masked_frame(0x08, code(1000))},
    {"LongPing", masked_frame(ping, times(126, "x"))},
    {"LongPong", masked_frame(pong, times(126, "x"))},
    {"LongClose", closing(1000, times(124, "x"))},
    {"PingOf63Bits", raw("\x89\xff\x7f\xff\xff\xff\xff\xff\xff\xff") + key},
    {"ContinuationOfNothing", masked_frame(last, "x")},
    {"EmptyContinuationOfNothing", masked_frame(last, "")},
    {"ContinuationBehindAMessage", masked_frame(binary, "") + masked_frame(more, "x")},
    {"MessageInsideAnother", masked_frame(part, "") + masked_frame(binary, "x")},
    {"TextInsideABinaryMessage", masked_frame(part, "") + masked_frame(text, "x")},
    {"CloseOfOneByte", masked_frame(close, "\x03")},
    {"Close0", closing(0)},
    {"Close999", closing(999)},
    {"Close1004", closing(1004)},
    {"Close1005", closing(1005)},
    {"Close1006", closing(1006)},
    {"Close1015", closing(1015)},
    {"Close1016", closing(1016)},
    {"Close2999", closing(2999)},
    {"Close5000", closing(5000)},
    {"Close65535", closing(65535)},
    {"CloseReasonNotUtf8", closing(1000, "\xff\xfe")},
    {"CloseReasonCutInACharacter", closing(1000, "\xe2\x82")},
    {"CloseReasonWithSurrogate", closing(1000, "\xed\xa0\x80")}};

}  // namespace device_streams::hub::frames
