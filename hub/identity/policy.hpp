#pragma once

#include "hub/identity/allow_rule.hpp"
#include "hub/identity/authentication.hpp"

#include <string>
#include <vector>

namespace device_streams::hub {

/// What the holder of a policy's key may do.
struct Permissions {
    bool registry_read = false;
    bool registry_write = false;
    bool service_connect = false;  ///< open the streams that its rules allow
    bool device_connect = false;   ///< log in as any device
    bool operator==(const Permissions&) const = default;
};

struct UnreadableRule {
    std::int64_t number = 0;
    std::string text;
};

/// A shared access policy: a named key pair of services, or of gateways that log in for devices.
struct Policy {
    std::string name;
    KeyPair keys;
    Permissions permissions;
    std::vector<NumberedRule> rules{};         ///< in order of their numbers; without any it may open no stream
    std::vector<UnreadableRule> unreadable{};  ///< what is stored as a rule and is none; allows nothing
};
/// True for one of its two keys, as of now.
bool is_key_of(const Credential& login, const Policy& policy);

/// Whether a policy may open a stream, and which of its rules has decided.
struct StreamVerdict {
    bool allowed = false;
    std::int64_t number = 0;  ///< of the rule that allows it, or else came closest; 0: there is none
    std::string rule{};       ///< its text
    std::string reason{};     ///< one clause, with the rule
};
/// The one place where this is decided, for requests of services as well as for `policy explain`. `service`: the name
/// of the stream without its id. Knows nothing of which devices exist. Pure.
StreamVerdict judge_stream(const Policy& policy, const iothub::Target& target, std::string_view service,
                           std::int64_t unix_now);

/// What a stream rests on at its service's side.
struct ServiceGrant {
    std::string policy{};
    Credential key{};
    std::string service{};  ///< of the stream's name
    std::string rule{};     ///< text of the rule that allowed it
};
/// True while the policy, as it is now, lets a running stream go on: it has the key, and the rule that allowed the
/// stream (whatever the time is) or another one that allows it now.
bool still_grants(const Policy& policy, const iothub::Target& target, const ServiceGrant& grant, std::int64_t unix_now);

}  // namespace device_streams::hub
