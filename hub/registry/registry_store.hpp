#pragma once

#include "common/app/disk_reserve.hpp"
#include "hub/registry/policy_store.hpp"
#include "hub/registry/sqlite.hpp"
#include "hub/registry/sqlite_registry.hpp"

#include <optional>
#include <string>
#include <vector>

namespace device_streams::hub {

/// The registry's tables and rules, without threads: SqliteRegistry runs it on a thread of its own. What each call does
/// and throws is told at Registry.
class RegistryStore {
 public:
    using Mode = SqliteRegistry::Mode;
    RegistryStore(const std::string& file, Mode mode, Clock& clock);

    bool has_certificate_users();
    std::optional<Identity> find(const iothub::Target& target);
    std::vector<Identity> list();
    std::vector<Identity> list_devices(std::size_t most);
    std::vector<Identity> list_modules(const std::string& device_id);
    std::vector<iothub::Target> find_spelt_alike(const iothub::Target& target);
    /// What it asks SQLite, for whoever wants to know how that is found.
    static constexpr const char* spelt_alike =
        "SELECT device_id, module_id FROM identity WHERE device_id = ? COLLATE NOCASE AND module_id = ? COLLATE NOCASE"
        " ORDER BY device_id, module_id LIMIT 8";
    Identity create(const iothub::Target& target, const IdentityDescription& description);
    Identity replace(const iothub::Target& target, const IdentityDescription& description, const std::string& etag);
    /// Returns what is gone: the target and, for a device, its modules.
    std::vector<iothub::Target> remove(const iothub::Target& target, const std::string& etag);
    /// Returns what it touches: the target and, for a device, its modules.
    std::vector<iothub::Target> set_enabled(const iothub::Target& target, bool enabled);
    Identity set_authentication(const iothub::Target& target, const Authentication& authentication);
    Identity renew_key(const iothub::Target& target, WhichKey which);

    PolicyStore& policies() { return policies_; }

    /// Runs what takes something away from somebody. It must not fail because the disk is full, so it gets the room
    /// that is kept for this.
    template <typename Work>
    auto revoking(Work work) {
        for (;;) {
            try {
                return work();
            } catch (const Failure& failure) {
                if (failure.errc() != Errc::disk_full || !reserve_.give_up_piece()) throw;
            }
        }
    }
    /// Between two changes.
    void refill_reserve() { reserve_.fill(); }

 private:
    void prepare_tables(const std::string& file);
    Identity get(const iothub::Target& target);
    Identity get_version(const iothub::Target& target, const std::string& etag);
    void write(const iothub::Target& target, const Authentication& authentication);
    void write_status(const iothub::Target& target, bool enabled, const std::string& reason);
    std::string now() const;
    std::vector<iothub::Target> with_modules(const iothub::Target& target);

    DiskReserve reserve_;
    Database database_;
    Clock& clock_;
    PolicyStore policies_;
};

}  // namespace device_streams::hub
