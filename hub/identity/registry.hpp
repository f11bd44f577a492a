#pragma once

#include "common/base/clock.hpp"
#include "common/iothub/stream_request.hpp"
#include "hub/identity/authentication.hpp"
#include "hub/identity/policy.hpp"
#include "hub/identity/revocation.hpp"

#include <asio/awaitable.hpp>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace device_streams::hub {

/// A device or one of its modules.
struct Identity {
    iothub::Target target;
    bool enabled = true;  ///< as read: false also for the modules of a disabled device
    Authentication authentication;
    std::string created;           ///< RFC 3339, UTC
    std::string status_reason{};   ///< why it is enabled or disabled, in its owner's words
    std::string status_changed{};  ///< RFC 3339, UTC; empty: never
    std::string generation{};      ///< tells it from an earlier identity of the same name
    std::string etag{};            ///< its version: another one after every change
    /// nullptr: it logs in with a certificate.
    const KeyPair* keys() const { return std::get_if<KeyPair>(&authentication); }
};

/// What a login is judged by.
struct PolicyAndIdentity {
    std::optional<Policy> policy{};  ///< without its rules; nullopt: there is none of this name
    std::optional<Identity> identity{};
};

/// What is said of an identity when it is made or replaced as a whole.
struct IdentityDescription {
    Authentication authentication;
    std::optional<bool> enabled{};  ///< nullopt: as it is; a new one is enabled
    std::string status_reason{};
};

/// A change was meant for another version of the identity than the present one.
struct VersionMismatch : std::runtime_error {
    VersionMismatch() : std::runtime_error("the identity has another etag now") {}
};

/// Devices, modules and policies of one hub. Calls may come from any thread and return on the caller's executor; none
/// of them works on an I/O thread. Failures: not_found, already_exists, usage (an id or a thumbprint that is not
/// allowed) and state_unusable (the store itself failed).
class Registry {
 public:
    /// Hears of logins that count no longer, after the change is stored, on the executor of the call that made it. An
    /// implementation is made with it.
    using OnRevoked = std::function<void(const Revocation&)>;

    virtual ~Registry() = default;

    /// True while an identity logs in with a certificate. Returns at once; any thread.
    virtual bool has_certificate_users() const = 0;
    virtual asio::awaitable<std::optional<Identity>> find(iothub::Target target) = 0;
    /// All identities in order of id, modules behind their device.
    virtual asio::awaitable<std::vector<Identity>> list() = 0;
    /// The devices that come first in order of id, without their modules.
    virtual asio::awaitable<std::vector<Identity>> list_devices(std::size_t most) = 0;
    virtual asio::awaitable<std::vector<Identity>> list_modules(std::string device_id) = 0;
    /// Identities whose ids are those of `target` but for upper and lower case; a few at most, in order of id.
    virtual asio::awaitable<std::vector<iothub::Target>> find_spelt_alike(iothub::Target target) = 0;
    /// Adds a device, or a module to a device that exists. Returns it as stored.
    virtual asio::awaitable<Identity> add(iothub::Target target, Authentication authentication) = 0;
    virtual asio::awaitable<Identity> create(iothub::Target target, IdentityDescription description) = 0;
    /// Makes an identity what the description says, if it has this etag (empty: any), else throws VersionMismatch.
    /// OnRevoked hears of it as of set_enabled and set_authentication.
    virtual asio::awaitable<Identity> replace(iothub::Target target, IdentityDescription description,
                                              std::string etag) = 0;
    /// Removes an identity if it has this etag (empty: any), else throws VersionMismatch.
    virtual asio::awaitable<void> remove_version(iothub::Target target, std::string etag) = 0;
    /// Removes an identity; a device's modules go with it. OnRevoked hears of each.
    virtual asio::awaitable<void> remove(iothub::Target target) = 0;
    /// Disabled identities cannot log in; OnRevoked hears of the device and its modules.
    virtual asio::awaitable<void> set_enabled(iothub::Target target, bool enabled) = 0;
    /// Replaces what the identity logs in with; OnRevoked hears of it, as what is gone from it is revoked.
    virtual asio::awaitable<Identity> set_authentication(iothub::Target target, Authentication authentication) = 0;
    /// Gives one of the identity's keys a new value; the old one is revoked, the other one stays. Throws Failure(usage)
    /// when it has none, as it uses certificates.
    virtual asio::awaitable<Identity> renew_key(iothub::Target target, WhichKey which) = 0;

    virtual asio::awaitable<std::optional<Policy>> find_policy(std::string name) = 0;
    /// The policy without its rules, for who has not proved anything yet: reading them takes time, which would tell
    /// that there is one.
    virtual asio::awaitable<std::optional<Policy>> find_policy_keys(std::string name) = 0;
    /// find_policy_keys() and find() in one call, each looked up whether or not the other is there: the time tells
    /// nothing.
    virtual asio::awaitable<PolicyAndIdentity> find_both(std::string policy, iothub::Target target) = 0;
    virtual asio::awaitable<std::vector<Policy>> list_policies() = 0;
    virtual asio::awaitable<Policy> add_policy(std::string name, Permissions permissions, KeyPair keys,
                                               std::vector<AllowRule> rules = {}) = 0;
    /// Adds a rule under a number of its own.
    virtual asio::awaitable<Policy> allow(std::string policy, AllowRule rule) = 0;
    // What rests on what these take away ends; OnRevoked hears of it.
    /// `rule`: its number, or its text in any way of writing it.
    virtual asio::awaitable<Policy> disallow(std::string policy, std::string rule) = 0;
    virtual asio::awaitable<void> remove_policy(std::string name) = 0;
    virtual asio::awaitable<Policy> renew_policy_key(std::string name, WhichKey which) = 0;
};

}  // namespace device_streams::hub
