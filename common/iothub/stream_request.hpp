#pragma once

#include "common/base/endpoint.hpp"
#include "common/base/error.hpp"
#include "common/base/secret.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Topics, paths and names that carry a stream request. Pure text.
namespace device_streams::iothub {

inline constexpr std::string_view request_filter = "$iothub/streams/POST/#";
inline constexpr std::string_view answer_filter = "$iothub/streams/res/#";

/// The request as the device receives it.
struct StreamRequest {
    std::string name;        ///< of the stream, e.g. ssh.1a2b3c4d
    std::string request_id;  ///< $rid
    std::string url;         ///< decoded wss:// URL
    Secret token;            ///< $auth
    std::string features;    ///< $features, comma-separated names of stream features; empty when absent
    std::string policy{};    ///< $policy, the service's policy at the hub; empty when absent
};
/// "$iothub/streams/POST/{name}/?$rid=..&$url=..&$auth=..[&$features=..][&$policy=..]", encoded as strictly as the C
/// SDK demands. The caller sees to a valid name, a URL in ASCII and with a port, and a token and an id of A-Z a-z 0-9 -
/// _ . only.
std::string request_topic(const StreamRequest& request);
/// nullopt unless the topic has five segments and $rid, $url and $auth, each once; unknown pairs are ignored; the URL
/// is percent-decoded and must be one that parse_stream_url takes; the token must be fit for an HTTP header.
std::optional<StreamRequest> parse_request_topic(std::string_view topic);
/// The $rid of a request that parse_request_topic does not take, so that it can be rejected; nullopt without one.
std::optional<std::string> request_id_of(std::string_view topic);

/// The device's answer.
struct StreamAnswer {
    int status = 0;  ///< 100..999; 2xx accepts, all else rejects
    std::string request_id;
    std::optional<Errc> reason{};  ///< of a rejection; one that wire_name() knows (refusal_reason.hpp)
    bool accepted() const { return status >= 200 && status < 300; }
};
/// "$iothub/streams/res/{status}/?$rid=..[&$reason=..]"
std::string answer_topic(const StreamAnswer& answer);
/// Tolerates text after the request id that starts with & or /; a $reason there counts in a rejection when it is one.
std::optional<StreamAnswer> parse_answer_topic(std::string_view topic);

/// Whether a $rid can stand in a topic: visible characters that end neither a level nor a pair.
bool is_request_id(std::string_view id);

/// The device, or the module of one, that a stream is for.
struct Target {
    std::string device_id;
    std::string module_id;  ///< empty: the device itself
    bool operator==(const Target&) const = default;
    auto operator<=>(const Target&) const = default;
    /// "dev-01" or "dev-01/tunnel", for logs and as MQTT client id.
    std::string to_string() const;
};

/// POST /twins/{id}[/modules/{m}]/streams/{name}: ids percent-decoded (+ stays +), name raw; a query is ignored.
struct ServicePath {
    Target target;
    std::string name;
};
std::optional<ServicePath> parse_service_path(std::string_view path);
/// With "?api-version=..".
std::string service_path(const ServicePath& path, std::string_view api_version);
/// The value of api-version in the query of a request target, as it stands there; empty without one.
std::string api_version_of(std::string_view request_target);

/// /bridges/ih/{hub}/d/{id}[/m/{module}]/sid/{32 hex}/r/{device|service}, ids percent-decoded; a query is ignored.
struct BridgePath {
    std::string hub;
    Target target;
    std::string stream_id;
    std::string role;
};
std::optional<BridgePath> parse_bridge_path(std::string_view path);
std::string bridge_path(const BridgePath& path);

/// A wss:// URL with explicit or default port; nullopt for anything else (user info, fragment, IPv6 literal without
/// brackets, characters that no request line may hold ...).
struct StreamUrl {
    std::string host;  ///< an IPv6 literal stands without its brackets
    std::uint16_t port = 443;
    std::string target;  ///< path and query; "/" at least

    Endpoint endpoint() const { return {.host = host, .port = port, .path = {}}; }
};
std::optional<StreamUrl> parse_stream_url(std::string_view url);

/// 1..128 of [A-Za-z0-9._-].
bool is_valid_stream_name(std::string_view name);

/// MQTT user name "{host}/{device}[/{module}]/[?]key=value&...".
struct MqttUserName {
    std::string host;
    Target target;
    std::string api_version;
    std::string client_type;  ///< DeviceClientType, decoded
};
/// Whether it is the user name of that identity. Some clients percent-encode its ids, so they count decoded once where
/// they are not equal as they stand.
bool is_of(const MqttUserName& user, const Target& target);
/// `module`: two ids follow the host; they are kept as they stand if they can be ids so. nullopt only for a missing or
/// invalid host or id; what follows them is never an error, as clients of all ages write it differently.
std::optional<MqttUserName> parse_mqtt_user_name(std::string_view text, bool module);
std::string mqtt_user_name(const MqttUserName& user);
/// "{id scope}/registrations/{client id}/api-version=..": a device takes the hub for the provisioning service (DPS).
bool is_provisioning_user_name(std::string_view text, std::string_view client_id);

}  // namespace device_streams::iothub
