#pragma once

#include "common/base/clock.hpp"
#include "common/iothub/errors.hpp"
#include "common/iothub/stream_request.hpp"
#include "hub/identity/authentication.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// What stands in the resource log: one JSON line a record, in the shape that Azure IoT Hub publishes for its
/// categories DeviceStreams and Connections (docs/protocol.md 9).
namespace device_streams::hub {

/// Why something was refused, or ended badly: a six-digit code with its name.
struct ResultType {
    int code;
    std::string_view name;
};
namespace result_types {
inline constexpr ResultType bad_request{400000, "GenericBadRequest"};
inline constexpr ResultType taken_over{400027, "ConnectionForcefullyClosedOnNewConnection"};
inline constexpr ResultType unauthorized{401003, "IoTHubUnauthorized"};
inline constexpr ResultType closed_by_device{404104, "DeviceConnectionClosedRemotely"};
inline constexpr ResultType closed_by_service{404105, "ServiceConnectionClosedRemotely"};  // ours
inline constexpr ResultType time_up{408000, "GenericTimeout"};
inline constexpr ResultType throttled{429001, "ThrottlingException"};
inline constexpr ResultType server_error{500001, "ServerError"};
inline constexpr ResultType unavailable{503001, "ServiceUnavailable"};
inline constexpr ResultType legs_never_met{504101, "GatewayTimeout"};
}  // namespace result_types

/// How a stream request was decided, denials included.
struct StreamDecision {
    iothub::Target target;
    std::string name;         ///< of the stream
    std::string stream_id;    ///< 32 hex digits; empty: not granted
    std::string api_version;  ///< of the service
    Clock::duration took{};
    std::optional<iothub::RestError> error{};
    std::string result{};  ///< without an error: empty (granted), Rejected or Cancelled
    std::string policy{};  ///< of the service; empty: not proved
    std::string reason{};  ///< which rule of the policy has decided, and how
};

/// A granted stream that is over, whether it ever ran or not.
struct StreamEnd {
    iothub::Target target;
    std::string name;
    std::string stream_id;
    std::uint64_t bytes_to_device = 0;  ///< payload
    std::uint64_t bytes_to_service = 0;
    Clock::duration life{};
    std::string reason;
    std::optional<ResultType> fault{};  ///< nullopt: a clean end
};

/// How a device speaks to the hub.
enum class LinkProtocol { mqtt, mqtt_websocket };

/// Who a link is from.
struct LinkParty {
    iothub::Target target;
    std::string peer;         ///< address:port; only a part of the address is written
    std::string api_version;  ///< of the device
    LinkProtocol protocol = LinkProtocol::mqtt;
    Credential::Kind login = Credential::Kind::device_key;  ///< what it logged in with, or tried to
};

struct LinkUp {
    LinkParty party;
    std::optional<ResultType> refused{};  ///< the login failed
};
struct LinkDown {
    LinkParty party;
    Clock::duration life{};
    std::optional<ResultType> fault{};
};

using ResourceRecord = std::variant<StreamDecision, StreamEnd, LinkUp, LinkDown>;

/// The line of a record, with its line feed. Whatever peers chose (names, versions) is escaped. Pure.
std::string resource_line(const ResourceRecord& record, std::string_view hub_name, Clock::wall_time when);

/// 203.0.113.7:4711 as 203.0.113.XXX, [2001:db8::7]:4711 as 2001:db8::XXX.
std::string masked_address(std::string_view peer);

}  // namespace device_streams::hub
