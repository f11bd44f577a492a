#pragma once

#include "hub/identity/registry.hpp"

#include <memory>

namespace device_streams::hub {

/// The registry in one SQLite file (write-ahead log, full synchronisation), used by one thread of its own.
class SqliteRegistry final : public Registry {
 public:
    /// Where the identities of a test live: nowhere on disk, gone with the object.
    static constexpr const char* in_memory = ":memory:";
    enum class Mode { open_existing, create_new };

    /// Blocks until the file is open. Throws Failure(state_unusable): missing, unreadable, damaged, made by a newer
    /// version; create_new throws Failure(already_exists) when the file is there. In memory the mode does not matter.
    SqliteRegistry(
        const std::string& file, Mode mode, Clock& clock, OnRevoked on_revoked = [](const Revocation&) {});
    /// Waits for calls under way. Their callers' executors must still be alive.
    ~SqliteRegistry() override;

    bool has_certificate_users() const override;
    asio::awaitable<std::optional<Identity>> find(iothub::Target target) override;
    asio::awaitable<std::vector<Identity>> list() override;
    asio::awaitable<std::vector<Identity>> list_devices(std::size_t most) override;
    asio::awaitable<std::vector<Identity>> list_modules(std::string device_id) override;
    asio::awaitable<std::vector<iothub::Target>> find_spelt_alike(iothub::Target target) override;
    asio::awaitable<Identity> add(iothub::Target target, Authentication authentication) override;
    asio::awaitable<Identity> create(iothub::Target target, IdentityDescription description) override;
    asio::awaitable<Identity> replace(iothub::Target target, IdentityDescription description,
                                      std::string etag) override;
    asio::awaitable<void> remove_version(iothub::Target target, std::string etag) override;
    asio::awaitable<void> remove(iothub::Target target) override;
    asio::awaitable<void> set_enabled(iothub::Target target, bool enabled) override;
    asio::awaitable<Identity> set_authentication(iothub::Target target, Authentication authentication) override;
    asio::awaitable<Identity> renew_key(iothub::Target target, WhichKey which) override;

    asio::awaitable<std::optional<Policy>> find_policy(std::string name) override;
    asio::awaitable<std::optional<Policy>> find_policy_keys(std::string name) override;
    asio::awaitable<PolicyAndIdentity> find_both(std::string policy, iothub::Target target) override;
    asio::awaitable<std::vector<Policy>> list_policies() override;
    asio::awaitable<Policy> add_policy(std::string name, Permissions permissions, KeyPair keys,
                                       std::vector<AllowRule> rules = {}) override;
    asio::awaitable<Policy> allow(std::string policy, AllowRule rule) override;
    asio::awaitable<Policy> disallow(std::string policy, std::string rule) override;
    asio::awaitable<void> remove_policy(std::string name) override;
    asio::awaitable<Policy> renew_policy_key(std::string name, WhichKey which) override;

 private:
    class Worker;
    std::unique_ptr<Worker> worker_;
    const OnRevoked on_revoked_;
};

}  // namespace device_streams::hub
