#include "common/ws/close_code.hpp"

#include <websocketpp/close.hpp>

#include <algorithm>
#include <string>

namespace device_streams::ws {

namespace status = websocketpp::close::status;

namespace {
constexpr std::uint16_t tcp_reset = 4001;
}

void ControlPayload::assign(ReadableBytes from) {
    const auto part = from.first(std::min(from.size(), longest_control));
    kept.assign(part.begin(), part.end());
}

ClosePayload parse_close(ReadableBytes payload) {
    const std::string text(reinterpret_cast<const char*>(payload.data()), payload.size());
    websocketpp::lib::error_code failure;
    const auto code = websocketpp::close::extract_code(text, failure);
    if (failure) throw StreamError(CloseReason::protocol_violation, "a Close frame's code is not valid");
    websocketpp::close::extract_reason(text, failure);
    if (failure) throw StreamError(CloseReason::protocol_violation, "a Close frame's reason is not UTF-8");
    if (payload.empty()) return {};
    return {code};
}

ControlPayload make_close(std::optional<std::uint16_t> code, std::string_view reason) {
    ControlPayload payload;
    if (!code) return payload;
    payload.kept = {std::byte(*code >> 8), std::byte(*code & 0xff)};
    const auto text = std::as_bytes(std::span(reason));
    payload.kept.insert(payload.kept.end(), text.begin(), text.end());
    return payload;
}

ControlPayload make_close(CloseReason close_reason, bool extended) {
    const auto code = close_code(close_reason, extended);
    const bool vanished = close_reason == CloseReason::lost || close_reason == CloseReason::reset;
    // Azure's words for a peer that is gone.
    return make_close(code, vanished && code == status::internal_endpoint_error ? "WS disconnected" : "");
}

std::uint16_t close_code(CloseReason close_reason, bool extended) {
    switch (close_reason) {
        case CloseReason::clean:
            return status::normal;
        case CloseReason::reset:
            return extended ? tcp_reset : status::internal_endpoint_error;
        case CloseReason::stopping:
            return status::going_away;
        case CloseReason::protocol_violation:
            return status::protocol_error;
        case CloseReason::refused:
        case CloseReason::time_up:
            return status::policy_violation;
        case CloseReason::too_big:
            return status::message_too_big;
        case CloseReason::lost:
        case CloseReason::cancelled:
            break;
    }
    return status::internal_endpoint_error;
}

CloseReason reason_of_close_code(std::uint16_t code) {
    switch (code) {
        case status::normal:
        case status::no_status:
            return CloseReason::clean;
        case status::going_away:
        case status::service_restart:
            return CloseReason::stopping;
        case status::protocol_error:
        case status::invalid_payload:
            return CloseReason::protocol_violation;
        case status::policy_violation:
            return CloseReason::refused;
        case status::message_too_big:
            return CloseReason::too_big;
        case tcp_reset:
            return CloseReason::reset;
        default:
            return CloseReason::lost;
    }
}

bool is_clean(const ClosePayload& reason) {
    return !reason.code || reason_of_close_code(*reason.code) == CloseReason::clean;
}

}  // namespace device_streams::ws
