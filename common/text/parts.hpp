#pragma once

#include <optional>
#include <string_view>
#include <vector>

/// Parts of a text; all of them are views of it.
namespace device_streams {

/// Without the blanks at both ends, by default those of an HTTP header (RFC 9110 section 5.6.3).
std::string_view trim(std::string_view text, std::string_view blanks = " \t");
/// Without the blanks at its end only.
std::string_view trim_end(std::string_view text, std::string_view blanks);

/// All parts between separators, empty ones included; no parts at all when there would be more than `most`.
std::vector<std::string_view> split(std::string_view text, char separator, std::size_t most = std::string_view::npos);

/// Cuts the part in front of the first separator off, and drops the separator; all of `rest` without one.
std::string_view take_until(std::string_view& rest, char separator);

struct NameAndValue {
    std::string_view name;
    std::string_view value;
};
/// Divides at the first `=`; nullopt without one.
std::optional<NameAndValue> split_pair(std::string_view text);

}  // namespace device_streams
