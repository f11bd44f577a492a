#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace device_streams {

/// Percent-encoding: everything but A-Z a-z 0-9 - . _ (and what `also_safe` lists) becomes %XX, upper-case. Stricter
/// than RFC 3986 (~ is encoded too), as the Azure C SDK refuses topics with anything else unencoded.
std::string percent_encode(std::string_view text, std::string_view also_safe = {});

/// nullopt for a truncated or non-hex escape. `+` stays `+`.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace device_streams
