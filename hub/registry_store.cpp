#include "hub/registry_store.hpp"

#include "common/app/private_files.hpp"
#include "common/base/error.hpp"

namespace device_streams::hub {

namespace {

// "DSHB": tells our files from other SQLite files.
constexpr std::int64_t application_id = 0x44534842;
constexpr std::int64_t schema_version = 2;
constexpr const char* schema = R"(
CREATE TABLE identity (
    device_id TEXT NOT NULL, module_id TEXT NOT NULL, enabled INTEGER NOT NULL, created TEXT NOT NULL,
    authentication TEXT NOT NULL, primary_credential TEXT NOT NULL, secondary_credential TEXT NOT NULL,
    status_reason TEXT NOT NULL, status_changed TEXT NOT NULL, generation TEXT NOT NULL, etag TEXT NOT NULL,
    PRIMARY KEY (device_id, module_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE policy (
    name TEXT NOT NULL PRIMARY KEY, permissions INTEGER NOT NULL,
    primary_key TEXT NOT NULL, secondary_key TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)";

constexpr std::string_view policy_columns = "SELECT name, permissions, primary_key, secondary_key FROM policy";

std::int64_t to_bits(const Permissions& p) {
    return p.registry_read | p.registry_write << 1 | p.service_connect << 2 | p.device_connect << 3;
}

Policy read_policy(const Query& row) {
    const auto bits = row.number(1);
    const Permissions permissions{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
    return {row.text(0), {Secret(row.text(2)), Secret(row.text(3))}, permissions};
}

void require_valid_policy_name(const std::string& name) {
    constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    if (name.empty() || name.size() > 64 || name.find_first_not_of(allowed) != std::string::npos)
        throw Failure(Errc::usage, "policy names are 1 to 64 of A-Z a-z 0-9 - _ .");
}

// Made by us, not by SQLite: it must never be readable for others, not for a moment.
const std::string& make_file(const std::string& file, RegistryStore::Mode mode) {
    if (mode == RegistryStore::Mode::open_existing || file == SqliteRegistry::in_memory) return file;
    write_private_file(file, "");
    return file;
}

std::int64_t pragma(Database& database, std::string_view name) {
    auto query = database.query("PRAGMA " + std::string(name));
    query.step();
    return query.number(0);
}

}  // namespace

RegistryStore::RegistryStore(const std::string& file, Mode mode, Clock& clock)
    : database_(make_file(file, mode)), clock_(clock) {
    prepare_tables(file);
}

void RegistryStore::prepare_tables(const std::string& file) {
    database_.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;");
    Transaction transaction(database_);
    const auto version = pragma(database_, "user_version");
    const bool ours = pragma(database_, "application_id") == application_id;
    if (!ours && (version != 0 || pragma(database_, "schema_version") != 0))
        throw Failure(Errc::state_unusable, file + " is not a hub's registry");
    if (version != 0 && version != schema_version)
        throw Failure(
            Errc::state_unusable,
            file + " was made by " + (version > schema_version ? "a newer" : "an older") + " version of stream-hub");
    if (version == 0) {
        database_.execute(schema);
        database_.execute("PRAGMA application_id=" + std::to_string(application_id) +
                          "; PRAGMA user_version=" + std::to_string(schema_version));
    }
    transaction.commit();
}

std::optional<Policy> RegistryStore::find_policy(const std::string& name) {
    static const std::string sql = std::string(policy_columns) + " WHERE name = ?";
    auto query = database_.query(sql);
    query.bind(name);
    if (!query.step()) return std::nullopt;
    return read_policy(query);
}

Policy RegistryStore::get_policy(const std::string& name) {
    auto policy = find_policy(name);
    if (!policy) throw Failure(Errc::not_found, "policy " + name);
    return std::move(*policy);
}

std::vector<Policy> RegistryStore::list_policies() {
    static const std::string sql = std::string(policy_columns) + " ORDER BY name";
    auto query = database_.query(sql);
    std::vector<Policy> policies;
    while (query.step()) policies.push_back(read_policy(query));
    return policies;
}

Policy RegistryStore::add_policy(const std::string& name, Permissions permissions, const KeyPair& keys) {
    require_valid_policy_name(name);
    Transaction transaction(database_);
    if (find_policy(name)) throw Failure(Errc::already_exists, "policy " + name);
    database_.query("INSERT INTO policy VALUES (?, ?, ?, ?)")
        .bind(name)
        .bind(to_bits(permissions))
        .bind(keys.primary.reveal())
        .bind(keys.secondary.reveal())
        .step();
    transaction.commit();
    return {name, keys, permissions};
}

void RegistryStore::remove_policy(const std::string& name) {
    database_.query("DELETE FROM policy WHERE name = ?").bind(name).step();
    if (database_.changed() == 0) throw Failure(Errc::not_found, "policy " + name);
}

Policy RegistryStore::renew_policy_key(const std::string& name, WhichKey which) {
    Transaction transaction(database_);
    auto policy = get_policy(name);
    (which == WhichKey::primary ? policy.keys.primary : policy.keys.secondary) = make_key_pair().primary;
    database_.query("UPDATE policy SET primary_key = ?, secondary_key = ? WHERE name = ?")
        .bind(policy.keys.primary.reveal())
        .bind(policy.keys.secondary.reveal())
        .bind(name)
        .step();
    transaction.commit();
    return policy;
}

}  // namespace device_streams::hub
