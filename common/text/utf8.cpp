#include "common/text/utf8.hpp"

#include <algorithm>

namespace device_streams::iothub {

namespace {

struct Lead {
    std::size_t size = 0;                         // 0: no character starts with this byte
    unsigned char lowest = 0x80, highest = 0xBF;  // of the second byte
};

// Table 3-7 of the Unicode standard.
constexpr Lead lead_of(unsigned char first) {
    if (first < 0x80) return {.size = 1};
    if (first < 0xC2) return {};
    if (first < 0xE0) return {.size = 2};
    if (first == 0xE0) return {.size = 3, .lowest = 0xA0};
    if (first == 0xED) return {.size = 3, .highest = 0x9F};
    if (first < 0xF0) return {.size = 3};
    if (first == 0xF0) return {.size = 4, .lowest = 0x90};
    if (first < 0xF4) return {.size = 4};
    if (first == 0xF4) return {.size = 4, .highest = 0x8F};
    return {};
}

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto lead = lead_of(static_cast<unsigned char>(text.front()));
        if (lead.size == 0 || lead.size > text.size()) return false;
        if (lead.size > 1) {
            const auto second = static_cast<unsigned char>(text[1]);
            if (second < lead.lowest || second > lead.highest) return false;
            if (!std::ranges::all_of(text.substr(2, lead.size - 2), is_continuation)) return false;
        }
        text.remove_prefix(lead.size);
    }
    return true;
}

}  // namespace device_streams::iothub
