#include "common/iothub/connection_string.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/text/parts.hpp"
#include "common/text/percent.hpp"

namespace device_streams::iothub {

namespace {

constexpr std::string_view api_version_key = "api-version";
constexpr std::string_view client_type_key = "DeviceClientType";

// As it stands, or decoded where that is no id, as an encoded one may be too long.
std::string id_in(std::string_view segment) {
    if (is_valid_identity_id(segment)) return std::string(segment);
    return percent_decode(segment).value_or("");
}

bool is_same_id(const std::string& written, const std::string& id) {
    return written == id || percent_decode(written) == id;
}

void read_properties(std::string_view text, MqttUserName& user) {
    if (text.starts_with('?')) text.remove_prefix(1);
    for (const auto part : split(text, '&')) {
        const auto pair = split_pair(part);
        if (!pair) continue;
        auto value = percent_decode(pair->value).value_or(std::string(pair->value));
        if (pair->name == api_version_key)
            user.api_version = std::move(value);
        else if (pair->name == client_type_key)
            user.client_type = std::move(value);
    }
}

}  // namespace

std::optional<MqttUserName> parse_mqtt_user_name(std::string_view text, bool module) {
    MqttUserName user;
    user.host = take_until(text, '/');
    user.target.device_id = id_in(take_until(text, '/'));
    if (module) user.target.module_id = id_in(take_until(text, '/'));
    const bool ids_fit =
        is_valid_identity_id(user.target.device_id) && (!module || is_valid_identity_id(user.target.module_id));
    if (user.host.empty() || !ids_fit) return std::nullopt;
    read_properties(text, user);
    return user;
}

bool is_of(const MqttUserName& user, const Target& target) {
    return is_same_id(user.target.device_id, target.device_id) && is_same_id(user.target.module_id, target.module_id);
}

bool is_provisioning_user_name(std::string_view text, std::string_view client_id) {
    const auto scope = take_until(text, '/');
    return !scope.empty() && take_until(text, '/') == "registrations" && !client_id.empty() &&
           take_until(text, '/') == client_id && !text.starts_with('?');
}

std::string mqtt_user_name(const MqttUserName& user) {
    auto text = user.host + "/" + user.target.to_string() + "/?" + std::string(api_version_key) + "=" +
                percent_encode(user.api_version);
    if (!user.client_type.empty()) text += "&" + std::string(client_type_key) + "=" + percent_encode(user.client_type);
    return text;
}

}  // namespace device_streams::iothub
