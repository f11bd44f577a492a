#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Topics of a device that asks for its twin, or reports properties of it. Pure text.
namespace device_streams::iothub {

/// A topic as answers have it, to be matched with what a device has subscribed to.
inline constexpr std::string_view some_twin_answer = "$iothub/twin/res/501/?$rid=1";

/// The $rid of "$iothub/twin/GET/?$rid=.." or "$iothub/twin/PATCH/properties/reported/?$rid=..", as it stands there;
/// other pairs are ignored. nullopt for any other topic, and for an id that is longer than 128 or unfit for a topic.
std::optional<std::string> parse_twin_request(std::string_view topic);
/// "$iothub/twin/res/{status}/?$rid=.."
std::string twin_answer_topic(int status, std::string_view request_id);
/// The payload of an answer that refuses: the Node SDK knows an error by its member errorCode, and not by the status.
std::string twin_error(int code, std::string_view text);

}  // namespace device_streams::iothub
