#include "hub/http/identity_json.hpp"

#include "common/base/error.hpp"
#include "common/text/ascii.hpp"
#include "common/text/base64.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <optional>

namespace device_streams::hub {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t longest_reason = 128;
constexpr const char* never = "0001-01-01T00:00:00Z";

[[noreturn]] void refuse(const std::string& member, const std::string& must) {
    throw BadDescription(member + ": " + must);
}

/// An object of the body that knows where it stands, so that a fault can be named. A null member counts as none.
class Node {
 public:
    Node(const json* value, std::string place) : value_(value), place_(std::move(place)) {}

    /// Without such a member: an object with no members.
    Node object(const char* name) const {
        const auto* found = find(name);
        if (found != nullptr && !found->is_object()) refuse(place_ + name, "must be an object");
        return {found, place_ + name + "."};
    }
    std::string text(const char* name) const {
        const auto* found = find(name);
        if (found == nullptr) return {};
        if (!found->is_string()) refuse(place_ + name, "must be a string");
        return found->get<std::string>();
    }
    bool flag(const char* name) const {
        const auto* found = find(name);
        if (found == nullptr) return false;
        if (!found->is_boolean()) refuse(place_ + name, "must be true or false");
        return found->get<bool>();
    }
    [[noreturn]] void refuse_member(const char* name, const std::string& must) const { refuse(place_ + name, must); }

 private:
    const json* find(const char* name) const {
        if (value_ == nullptr) return nullptr;
        const auto found = value_->find(name);
        return found == value_->end() || found->is_null() ? nullptr : &*found;
    }

    const json* value_;
    std::string place_;
};

json parse_object(std::string_view body) {
    auto parsed = json::parse(body, nullptr, false);
    if (!parsed.is_object()) throw BadDescription("the body is no JSON object");
    return parsed;
}

void require_key(const Node& node, const char* name, std::string_view key) {
    const auto bytes = base64_decode(key);
    if (!bytes || bytes->size() < 16 || bytes->size() > 64)
        node.refuse_member(name, "must be the base64 text of 16 to 64 bytes");
}

KeyPair keys_of(const Node& node) {
    auto primary = node.text("primaryKey"), secondary = node.text("secondaryKey");
    if (primary.empty() && secondary.empty()) return make_key_pair();
    require_key(node, "primaryKey", primary);
    require_key(node, "secondaryKey", secondary);
    return {Secret(std::move(primary)), Secret(std::move(secondary))};
}

Thumbprints thumbprints_of(const Node& node) {
    return {node.text("primaryThumbprint"), node.text("secondaryThumbprint")};
}

Thumbprints required(const Thumbprints& thumbprints) {
    try {
        return normalised(thumbprints);
    } catch (const Failure& failure) {
        refuse("authentication.x509Thumbprint", failure.detail());
    }
}

Authentication authentication_of(const Node& node) {
    auto type = node.text("type");
    const auto keys = node.object("symmetricKey");
    const auto thumbprints = thumbprints_of(node.object("x509Thumbprint"));
    // As Azure's clients complete it.
    if (type.empty()) type = thumbprints == Thumbprints{} ? "sas" : "selfSigned";
    if (equal_ignoring_case(type, "sas")) return keys_of(keys);
    if (equal_ignoring_case(type, "selfSigned")) return required(thumbprints);
    if (equal_ignoring_case(type, "certificateAuthority")) return CertificateAuthority{};
    node.refuse_member("type", "must be sas, selfSigned or certificateAuthority");
}

bool enabled_by(const Node& node) {
    const auto status = node.text("status");
    if (status.empty() || equal_ignoring_case(status, "enabled")) return true;
    if (!equal_ignoring_case(status, "disabled")) node.refuse_member("status", "must be enabled or disabled");
    return false;
}

void require_id(const Node& node, const char* name, const std::string& expected) {
    const auto id = node.text(name);
    if (!id.empty() && id != expected) node.refuse_member(name, "must be the one of the path");
}

// Keys, thumbprints or neither; all members are there in any case.
ordered_json described(const Authentication& authentication) {
    const auto* keys = std::get_if<KeyPair>(&authentication);
    const auto* thumbprints = std::get_if<Thumbprints>(&authentication);
    const auto or_null = [](std::string_view text) { return text.empty() ? ordered_json() : ordered_json(text); };
    ordered_json text;
    text["symmetricKey"]["primaryKey"] = or_null(keys ? keys->primary.reveal() : "");
    text["symmetricKey"]["secondaryKey"] = or_null(keys ? keys->secondary.reveal() : "");
    text["x509Thumbprint"]["primaryThumbprint"] = or_null(thumbprints ? thumbprints->primary : "");
    text["x509Thumbprint"]["secondaryThumbprint"] = or_null(thumbprints ? thumbprints->secondary : "");
    text["type"] = to_string(authentication);
    return text;
}

// The hub does not note when a link came or went: `never` is what Azure says where it does not know.
ordered_json described(const Identity& identity, bool connected) {
    const bool module = !identity.target.module_id.empty();
    ordered_json text;
    text["deviceId"] = identity.target.device_id;
    if (module) text["moduleId"] = identity.target.module_id;
    if (module) text["managedBy"] = nullptr;
    text["generationId"] = identity.generation;
    text["etag"] = identity.etag;
    text["connectionState"] = connected ? "Connected" : "Disconnected";
    if (!module) {
        text["status"] = identity.enabled ? "enabled" : "disabled";
        text["statusReason"] = identity.status_reason.empty() ? ordered_json() : ordered_json(identity.status_reason);
        text["statusUpdatedTime"] = identity.status_changed.empty() ? never : identity.status_changed;
    }
    text["connectionStateUpdatedTime"] = never;
    text["lastActivityTime"] = never;
    text["cloudToDeviceMessageCount"] = 0;
    text["authentication"] = described(identity.authentication);
    if (!module) text["capabilities"]["iotEdge"] = false;
    return text;
}

}  // namespace

IdentityDescription parse_description(std::string_view body, const iothub::Target& target) {
    const auto parsed = parse_object(body);
    const Node node(&parsed, "");
    require_id(node, "deviceId", target.device_id);
    require_id(node, "moduleId", target.module_id);
    IdentityDescription description{authentication_of(node.object("authentication"))};
    if (!target.module_id.empty()) return description;
    description.enabled = enabled_by(node);
    description.status_reason = node.text("statusReason");
    if (description.status_reason.size() > longest_reason) node.refuse_member("statusReason", "may have 128 bytes");
    if (node.object("capabilities").flag("iotEdge")) node.refuse_member("capabilities.iotEdge", "is not served here");
    return description;
}

std::string identity_json(const Identity& identity, bool connected) {
    return described(identity, connected).dump();
}

std::string identities_json(std::span<const Identity> identities, const std::set<iothub::Target>& connected) {
    auto list = ordered_json::array();
    for (const auto& identity : identities) list.push_back(described(identity, connected.contains(identity.target)));
    return list.dump();
}

}  // namespace device_streams::hub
