#include "hub/audit/resource_record.hpp"

#include "common/net/socket_address.hpp"
#include "common/text/ascii.hpp"
#include "common/text/rfc3339.hpp"

#include <nlohmann/json.hpp>

namespace device_streams::hub {

namespace {

using nlohmann::ordered_json;

// Of what a peer says about its version.
constexpr std::size_t longest_version = 64;

// What differs between the records; the rest of the line is the same for all.
struct Line {
    std::string_view category;
    std::string_view operation;
    std::string result_type{};
    std::string result_description{};
    bool error = false;
    std::optional<Clock::duration> duration{};
    ordered_json properties{};
};

std::string dump(const ordered_json& json) {
    return json.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

std::string resource_id(std::string_view hub_name) {
    return "/HUBS/" + upper_case(hub_name);
}

ordered_json or_null(const std::string& text) {
    return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

std::string milliseconds_of(Clock::duration length) {
    return std::to_string(whole_milliseconds(length));
}

ordered_json stream_properties(const iothub::Target& target, const std::string& name, const std::string& stream_id,
                               const std::string& api_version) {
    ordered_json properties;
    properties["deviceId"] = target.device_id;
    properties["moduleId"] = or_null(target.module_id);
    properties["sdkVersion"] = or_null(api_version.substr(0, longest_version));
    properties["requestSize"] = "0";
    properties["responseSize"] = "0";
    properties["statusCode"] = nullptr;
    properties["requestName"] = name;
    properties["direction"] = "c2d";
    properties["streamId"] = or_null(stream_id);  // ours: ties a stream's end to its decision
    return properties;
}

Line line_of(const StreamDecision& decision) {
    Line line{"DeviceStreams", "invoke"};
    line.duration = decision.took;
    line.result_description = decision.result;
    line.properties = stream_properties(decision.target, decision.name, decision.stream_id, decision.api_version);
    if (!decision.policy.empty()) {  // ours, as is the next one
        line.properties["policy"] = decision.policy;
        line.properties["decidedBy"] = decision.reason;
    }
    if (decision.error) {
        const auto& info = iothub::describe(*decision.error);
        line.error = true;
        line.result_type = std::to_string(static_cast<int>(info.code));
        line.result_description = info.name;
        line.properties["statusCode"] = std::to_string(info.status);
    }
    return line;
}

void set_fault(Line& line, const std::optional<ResultType>& fault) {
    if (!fault) return;
    line.error = true;
    line.result_type = std::to_string(fault->code);
    line.result_description = fault->name;
}

Line line_of(const StreamEnd& end) {
    Line line{"DeviceStreams", "streamEnd"};
    line.duration = end.life;
    line.properties = stream_properties(end.target, end.name, end.stream_id, {});
    line.properties["requestSize"] = std::to_string(end.bytes_to_device);
    line.properties["responseSize"] = std::to_string(end.bytes_to_service);
    line.properties["closeReason"] = end.reason;
    set_fault(line, end.fault);
    return line;
}

ordered_json link_properties(const LinkParty& party) {
    ordered_json auth;
    const bool by_certificate = party.login == Credential::Kind::certificate;
    auth["scope"] = party.login == Credential::Kind::policy_key ? "hub" : "device";
    auth["type"] = by_certificate ? "x509Certificate" : "sas";
    auth["issuer"] = by_certificate ? "external" : "iothub";
    ordered_json properties;
    properties["deviceId"] = party.target.device_id;
    properties["moduleId"] = or_null(party.target.module_id);
    properties["sdkVersion"] = or_null(party.api_version.substr(0, longest_version));
    properties["protocol"] = party.protocol == LinkProtocol::mqtt ? "Mqtt" : "MqttWs";
    properties["authType"] = dump(auth);
    properties["maskedIpAddress"] = masked_address(party.peer);
    return properties;
}

Line line_of(const LinkUp& up) {
    Line line{"Connections", "deviceConnect"};
    line.properties = link_properties(up.party);
    set_fault(line, up.refused);
    return line;
}

Line line_of(const LinkDown& down) {
    Line line{"Connections", "deviceDisconnect"};
    line.duration = down.life;
    line.properties = link_properties(down.party);
    set_fault(line, down.fault);
    return line;
}

}  // namespace

std::string resource_line(const ResourceRecord& record, std::string_view hub_name, Clock::wall_time when) {
    const auto line = std::visit([](const auto& known) { return line_of(known); }, record);
    ordered_json json;
    json["time"] = format_rfc3339(std::chrono::floor<std::chrono::seconds>(when));
    json["resourceId"] = resource_id(hub_name);
    json["operationName"] = line.operation;
    json["category"] = line.category;
    json["resultType"] = line.result_type;
    json["resultDescription"] = line.result_description;
    json["level"] = line.error ? "Error" : "Information";
    if (line.duration) json["durationMs"] = milliseconds_of(*line.duration);
    json["properties"] = dump(line.properties);
    json["location"] = "local";
    return dump(json) + "\n";
}

std::string masked_address(std::string_view peer) {
    const auto host = host_of(peer);
    const auto last = host.find_last_of(".:");
    if (last == std::string_view::npos) return "XXX";
    return std::string(host.substr(0, last + 1)) + "XXX";
}

}  // namespace device_streams::hub
