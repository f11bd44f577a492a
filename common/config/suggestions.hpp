#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Words in messages about configurations.
namespace device_streams {

/// True when the text may hold a key or a token, such as a whole connection string.
bool looks_like_credential(std::string_view text);

/// `value` in quotes, fit for one line of a message: shortened, without control characters, and not shown at all when
/// it looks like a credential.
std::string shown(std::string_view value);

/// The candidate that `word` begins, or that differs from it by the fewest typing slips, if these are few enough for it
/// to be meant; else empty.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// "a, b, c"
std::string listed(std::span<const std::string> words);

/// Lines of at most `width` characters, broken between words.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

}  // namespace device_streams
