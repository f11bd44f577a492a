#pragma once

#include <cstddef>
#include <string_view>

/// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
namespace device_streams {

struct CodePoint {
    std::size_t length = 0;  ///< in bytes
    char32_t value = 0;
};
/// The one at the start of `text`; length 0 when the text is empty or its first byte starts none.
CodePoint decode_utf8(std::string_view text);

/// Where the first byte stands that is not UTF-8; npos when all of it is.
std::size_t find_invalid_utf8(std::string_view text);
bool is_valid_utf8(std::string_view text);

}  // namespace device_streams
