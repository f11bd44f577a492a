#include "hub/streams/end_result.hpp"

namespace device_streams::hub {

std::optional<ResultType> result_type_of(CloseReason close_reason, bool by_device) {
    switch (close_reason) {
        case CloseReason::clean:
            return std::nullopt;
        case CloseReason::reset:
        case CloseReason::lost:
            return by_device ? result_types::closed_by_device : result_types::closed_by_service;
        case CloseReason::protocol_violation:
        case CloseReason::too_big:
            return result_types::bad_request;
        case CloseReason::refused:
            return result_types::unauthorized;
        case CloseReason::time_up:
            return result_types::time_up;
        case CloseReason::stopping:
        case CloseReason::cancelled:
            break;
    }
    return result_types::unavailable;
}

}  // namespace device_streams::hub
