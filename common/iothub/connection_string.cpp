#include "common/iothub/connection_string.hpp"

#include "common/base/error.hpp"
#include "common/iothub/sas_token.hpp"
#include "common/text/ascii.hpp"
#include "common/text/base64.hpp"
#include "common/text/parts.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace device_streams::iothub {

namespace {

enum Field { host_name, device_id, module_id, policy, key, token, gateway, x509, field_count };

struct FieldName {
    Field field;
    std::string_view name;
};
constexpr std::array field_names{
    FieldName{host_name, "HostName"},      FieldName{device_id, "DeviceId"},
    FieldName{module_id, "ModuleId"},      FieldName{policy, "SharedAccessKeyName"},
    FieldName{key, "SharedAccessKey"},     FieldName{token, "SharedAccessSignature"},
    FieldName{gateway, "GatewayHostName"}, FieldName{x509, "x509"},
    FieldName{x509, "X509Cert"},
};

using Values = std::array<std::optional<std::string_view>, field_count>;

[[noreturn]] void fail(std::string detail) {
    throw Failure(Errc::credential_malformed, std::move(detail));
}
[[noreturn]] void fail(std::string_view field, std::string_view fault) {
    fail(std::string(field) + " " + std::string(fault));
}

std::string_view without_edges(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";  // Windows editors put it before the text
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    return trim(text, " \t\r\n");
}

const FieldName* find_field(std::string_view name) {
    const auto found = std::ranges::find_if(
        field_names, [name](const FieldName& known) { return equal_ignoring_case(known.name, name); });
    return found == field_names.end() ? nullptr : found;
}

// An unknown name is never repeated to the user: in a garbled string it may be a piece of the key.
Values collect(std::string_view text) {
    Values values;
    std::set<std::string> unknown;
    std::size_t number = 0;
    for (const auto part : split(text, ';')) {
        ++number;
        if (part.empty()) continue;
        const auto place = "part " + std::to_string(number);
        const auto pair = split_pair(part);
        if (!pair || pair->name.empty()) fail(place, "is not of the form name=value");
        const FieldName* const known = find_field(pair->name);
        if (known == nullptr) {
            if (!unknown.insert(lower_case(pair->name)).second) fail(place, "repeats an earlier field");
            continue;
        }
        if (values[known->field]) fail(known->name, "is given twice");
        if (pair->value.empty()) fail(known->name, "is empty");
        values[known->field] = pair->value;
    }
    return values;
}

std::string text_of(const std::optional<std::string_view>& value) {
    return std::string(value.value_or(std::string_view{}));
}

std::string host_of(const std::optional<std::string_view>& value, std::string_view field) {
    constexpr std::size_t longest_dns_name = 253;
    auto host = text_of(value);
    if (host.find(':') != std::string::npos) fail(field, "must be a name without a port");
    if (host.size() > longest_dns_name || !consists_of_alphanumerics_and(host, "-._"))
        fail(field, "is not a host name");
    return host;
}

std::string id_of(const std::optional<std::string_view>& value, std::string_view field) {
    if (value && !is_valid_identity_id(*value)) fail(field, "holds characters that ids cannot have, or is too long");
    return text_of(value);
}

bool flag_of(const std::optional<std::string_view>& value) {
    if (!value || equal_ignoring_case(*value, "false")) return false;
    if (!equal_ignoring_case(*value, "true")) fail("x509", "must be true or false");
    return true;
}

void check_identity(const ConnectionString& parsed) {
    if (parsed.host_name.empty()) fail("HostName", "is missing");
    if (parsed.device_id.empty() && !parsed.module_id.empty()) fail("DeviceId", "is missing beside ModuleId");
    if (!parsed.device_id.empty()) return;
    if (parsed.x509) fail("DeviceId", "is missing beside x509");
    if (parsed.policy.empty() && parsed.token.empty())
        fail("neither DeviceId (a device) nor SharedAccessKeyName (a service) is there");
}

void check_credential(const ConnectionString& parsed) {
    const int credentials = int{!parsed.key.empty()} + int{!parsed.token.empty()} + int{parsed.x509};
    if (credentials == 0) fail("SharedAccessKey", "is missing");
    if (credentials > 1) fail("only one of SharedAccessKey, SharedAccessSignature and x509 may be given");
    if (!parsed.key.empty()) {
        const auto decoded = base64_decode(parsed.key.reveal());
        if (!decoded || decoded->empty()) fail("SharedAccessKey", "is not base64; was it cut off?");
    }
    if (!parsed.token.empty() && !parse_sas_token(parsed.token.reveal()))
        fail("SharedAccessSignature", "is not a shared access signature");
    if (!parsed.policy.empty() && !is_valid_policy_name(parsed.policy))
        fail("SharedAccessKeyName", "is not a policy name");
}

}  // namespace

ConnectionString parse_connection_string(std::string_view text) {
    const auto values = collect(without_edges(text));
    ConnectionString parsed;
    parsed.host_name = host_of(values[host_name], "HostName");
    parsed.device_id = id_of(values[device_id], "DeviceId");
    parsed.module_id = id_of(values[module_id], "ModuleId");
    parsed.policy = text_of(values[policy]);
    parsed.key = Secret(text_of(values[key]));
    parsed.token = Secret(text_of(values[token]));
    parsed.gateway_host_name = host_of(values[gateway], "GatewayHostName");
    parsed.x509 = flag_of(values[x509]);
    check_identity(parsed);
    check_credential(parsed);
    return parsed;
}

bool is_valid_identity_id(std::string_view id) {
    constexpr std::size_t longest = 128;
    return !id.empty() && id.size() <= longest && consists_of_alphanumerics_and(id, "-:.+%_#*?!(),=@;$'");
}

bool is_valid_policy_name(std::string_view name) {
    constexpr std::size_t longest = 64;
    return !name.empty() && name.size() <= longest && consists_of_alphanumerics_and(name, "-_.");
}

}  // namespace device_streams::iothub
