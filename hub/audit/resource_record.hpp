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
    bool clean = true;
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

/// Why a login was refused, or a link ended badly: a six-digit code with its name.
struct LinkFault {
    int code;
    std::string_view name;
};
namespace link_faults {
inline constexpr LinkFault taken_over{400027, "ConnectionForcefullyClosedOnNewConnection"};
inline constexpr LinkFault unauthorized{401003, "IoTHubUnauthorized"};
inline constexpr LinkFault closed_by_device{404104, "DeviceConnectionClosedRemotely"};
inline constexpr LinkFault throttled{429001, "ThrottlingException"};
inline constexpr LinkFault server_error{500001, "ServerError"};
}  // namespace link_faults

struct LinkUp {
    LinkParty party;
    std::optional<LinkFault> refused{};  ///< the login failed
};
struct LinkDown {
    LinkParty party;
    Clock::duration life{};
    std::optional<LinkFault> fault{};
};

using ResourceRecord = std::variant<StreamDecision, StreamEnd, LinkUp, LinkDown>;

/// The line of a record, with its line feed. Whatever peers chose (names, versions) is escaped. Pure.
std::string resource_line(const ResourceRecord& record, std::string_view hub_name, Clock::wall_time when);

/// 203.0.113.7:4711 as 203.0.113.XXX, [2001:db8::7]:4711 as 2001:db8::XXX.
std::string masked_address(std::string_view peer);

}  // namespace device_streams::hub
