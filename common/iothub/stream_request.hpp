#pragma once

#include "common/base/secret.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Topics, paths and names that carry a stream request (protocol.md 4, 6.1, 7.1). Pure text.
namespace device_streams::iothub {

inline constexpr std::string_view request_filter = "$iothub/streams/POST/#";
inline constexpr std::string_view answer_filter = "$iothub/streams/res/#";

/// The request as the device receives it.
struct StreamRequest {
    std::string name;        ///< of the stream, e.g. ssh.1a2b3c4d
    std::string request_id;  ///< $rid
    std::string url;         ///< decoded wss:// URL
    Secret token;            ///< $auth
    std::string features;    ///< $features, empty when absent (design.md 5)
};
/// "$iothub/streams/POST/{name}/?$rid=..&$url=..&$auth=..[&$features=..]", encoded as strictly as the C SDK demands.
std::string request_topic(const StreamRequest& request);
/// nullopt unless the topic has five segments and $rid, $url and $auth, each once; unknown pairs are ignored; the URL is
/// percent-decoded and must be valid.
std::optional<StreamRequest> parse_request_topic(std::string_view topic);

/// The device's answer.
struct StreamAnswer {
    int status = 0;  ///< 2xx accepts, all else rejects
    std::string request_id;
    bool accepted() const { return status >= 200 && status < 300; }
};
std::string answer_topic(const StreamAnswer& answer);
/// Tolerates text after the request id that starts with & or /.
std::optional<StreamAnswer> parse_answer_topic(std::string_view topic);

/// Whom a stream is for.
struct Target {
    std::string device_id;
    std::string module_id;  ///< empty: the device itself
    bool operator==(const Target&) const = default;
    auto operator<=>(const Target&) const = default;
    /// "dev-01" or "dev-01/tunnel", for logs and as MQTT client id.
    std::string to_string() const;
};

/// POST /twins/{id}[/modules/{m}]/streams/{name}: ids percent-decoded (+ stays +), name raw.
struct ServicePath { Target target; std::string name; };
std::optional<ServicePath> parse_service_path(std::string_view path);
std::string service_path(const ServicePath& path, std::string_view api_version);

/// /bridges/ih/{hub}/d/{id}[/m/{module}]/sid/{32 hex}/r/{device|service}
struct BridgePath { std::string hub; Target target; std::string stream_id; std::string role; };
std::optional<BridgePath> parse_bridge_path(std::string_view path);
std::string bridge_path(const BridgePath& path);

/// A wss:// URL with explicit or default port; nullopt for anything else (user info, IPv6 literal without brackets ...).
struct StreamUrl { std::string host; std::uint16_t port = 443; std::string target; };
std::optional<StreamUrl> parse_stream_url(std::string_view url);

/// 1..128 of [A-Za-z0-9._-] (protocol.md 11).
bool is_valid_stream_name(std::string_view name);

/// MQTT user name "{host}/{device}[/{module}]/[?]key=value&..." (protocol.md 3.2).
struct MqttUserName { std::string host; Target target; std::string api_version; std::string client_type; };
std::optional<MqttUserName> parse_mqtt_user_name(std::string_view text, bool module);
std::string mqtt_user_name(const MqttUserName& user);

/// Percent-encoding: everything but A-Z a-z 0-9 - . _ (and what `also_safe` lists) becomes %XX, upper-case.
std::string percent_encode(std::string_view text, std::string_view also_safe = {});
/// nullopt for a truncated or non-hex escape. `+` stays `+`.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace device_streams::iothub
