#include "common/tunnel/end_reason.hpp"

#include "common/base/error.hpp"

namespace device_streams {

std::string end_reason(const RelayResult& result, const RelaySide& left, const RelaySide& right) {
    const auto& side = result.left_caused ? left : right;
    if (result.close_reason == CloseReason::clean) return "closed by the " + std::string(side.party);
    if (result.close_reason == CloseReason::cancelled) return "this program is stopping";
    if (result.close_reason == CloseReason::time_up) return explain(Failure(Errc::time_limit, result.cause));
    const StreamError error(result.close_reason, result.cause);
    const auto& info = describe(static_cast<Errc>(error.code().value()));
    // Not the summary of the code: at the hub, DS-503 says that a proxy is stopping.
    return std::string(info.id) + " " + std::string(side.leg) + ": " + std::string(to_string(result.close_reason)) +
           (result.cause.empty() ? "" : ", " + result.cause) + ". " + std::string(info.advice);
}

}  // namespace device_streams
