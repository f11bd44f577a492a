#include "common/iothub/refusal_reason.hpp"

#include <algorithm>
#include <array>

namespace device_streams::iothub {

namespace {
constexpr std::array reasons{Errc::service_unknown,   Errc::local_refused,       Errc::local_timeout,
                             Errc::local_unreachable, Errc::service_not_allowed, Errc::out_of_descriptors};
}  // namespace

std::optional<Errc> parse_refusal_reason(std::string_view text) {
    const auto* found = std::ranges::find(reasons, text, [](Errc reason) { return describe(reason).id; });
    return found != reasons.end() ? std::optional(*found) : std::nullopt;
}

std::optional<std::string_view> wire_name(Errc reason) {
    if (std::ranges::find(reasons, reason) == reasons.end()) return std::nullopt;
    return describe(reason).id;
}

}  // namespace device_streams::iothub
