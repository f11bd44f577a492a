#pragma once

#include "common/base/clock.hpp"
#include "common/iothub/stream_request.hpp"
#include "hub/authentication.hpp"
#include "hub/revocation.hpp"

#include <asio/awaitable.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace device_streams::hub {

/// A device or one of its modules.
struct Identity {
    iothub::Target target;
    bool enabled = true;  ///< as read: false also for the modules of a disabled device
    Authentication authentication;
    std::string created;  ///< RFC 3339, UTC
    /// nullptr: it logs in with a certificate.
    const KeyPair* keys() const { return std::get_if<KeyPair>(&authentication); }
};

/// What the holder of a policy's key may do.
struct Permissions {
    bool registry_read = false;
    bool registry_write = false;
    bool service_connect = false;  ///< open streams
    bool device_connect = false;   ///< log in as any device
    bool operator==(const Permissions&) const = default;
};

/// A shared access policy: a named key pair of services, or of gateways that log in for devices.
struct Policy {
    std::string name;
    KeyPair keys;
    Permissions permissions;
};

/// Devices, modules and policies of one hub. Calls may come from any thread and return on the caller's executor; none
/// of them works on an I/O thread. Failures: not_found, already_exists, usage (an id or a thumbprint that is not
/// allowed) and state_unusable (the store itself failed).
class Registry {
 public:
    virtual ~Registry() = default;

    virtual asio::awaitable<std::optional<Identity>> find(iothub::Target target) = 0;
    /// All identities in order of id, modules behind their device.
    virtual asio::awaitable<std::vector<Identity>> list() = 0;
    /// Adds a device, or a module to a device that exists. Returns it as stored.
    virtual asio::awaitable<Identity> add(iothub::Target target, Authentication authentication) = 0;
    /// Removes an identity; a device's modules go with it. on_revoked hears of each.
    virtual asio::awaitable<void> remove(iothub::Target target) = 0;
    /// Disabled identities cannot log in; on_revoked hears of the device and its modules.
    virtual asio::awaitable<void> set_enabled(iothub::Target target, bool enabled) = 0;
    /// Replaces what the identity logs in with; on_revoked hears of it, as what is gone from it is revoked.
    virtual asio::awaitable<Identity> set_authentication(iothub::Target target, Authentication authentication) = 0;
    /// Gives one of the identity's keys a new value; the old one is revoked, the other one stays. Throws Failure(usage)
    /// when it has none, as it uses certificates.
    virtual asio::awaitable<Identity> renew_key(iothub::Target target, WhichKey which) = 0;

    virtual asio::awaitable<std::optional<Policy>> find_policy(std::string name) = 0;
    virtual asio::awaitable<std::vector<Policy>> list_policies() = 0;
    virtual asio::awaitable<Policy> add_policy(std::string name, Permissions permissions, KeyPair keys) = 0;
    virtual asio::awaitable<void> remove_policy(std::string name) = 0;
    virtual asio::awaitable<Policy> renew_policy_key(std::string name, WhichKey which) = 0;

    /// Hears of logins that count no longer, after the change is stored, on the executor of the call that made it. Set
    /// before the first call.
    std::function<void(const Revocation&)> on_revoked = [](const Revocation&) {};
};

}  // namespace device_streams::hub
