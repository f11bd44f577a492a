#include "hub/registry_store.hpp"

#include "common/app/private_files.hpp"
#include "common/base/error.hpp"
#include "common/iothub/connection_string.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace device_streams::hub {

namespace {

// "DSHB": tells our files from other SQLite files.
constexpr std::int64_t application_id = 0x44534842;
constexpr std::int64_t schema_version = 1;
constexpr const char* schema = R"(
CREATE TABLE identity (
    device_id TEXT NOT NULL, module_id TEXT NOT NULL, enabled INTEGER NOT NULL, created TEXT NOT NULL,
    authentication TEXT NOT NULL, primary_credential TEXT NOT NULL, secondary_credential TEXT NOT NULL,
    PRIMARY KEY (device_id, module_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE policy (
    name TEXT NOT NULL PRIMARY KEY, permissions INTEGER NOT NULL,
    primary_key TEXT NOT NULL, secondary_key TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)";

// A module counts as disabled when its device is.
constexpr std::string_view identity_columns =
    "SELECT i.device_id, i.module_id, i.enabled AND d.enabled, i.created,"
    " i.authentication, i.primary_credential, i.secondary_credential"
    " FROM identity i JOIN identity d ON d.device_id = i.device_id AND d.module_id = ''";
constexpr std::string_view policy_columns = "SELECT name, permissions, primary_key, secondary_key FROM policy";

// Keys or thumbprints; a CA's identities have neither.
std::array<std::string_view, 2> credentials_of(const Authentication& authentication) {
    if (const auto* keys = std::get_if<KeyPair>(&authentication))
        return {keys->primary.reveal(), keys->secondary.reveal()};
    if (const auto* thumbprints = std::get_if<Thumbprints>(&authentication))
        return {thumbprints->primary, thumbprints->secondary};
    return {"", ""};
}

Authentication read_authentication(const Query& row, int first_column) {
    const auto kind = row.text(first_column);
    auto primary = row.text(first_column + 1), secondary = row.text(first_column + 2);
    if (kind == to_string(Thumbprints{})) return Thumbprints{std::move(primary), std::move(secondary)};
    if (kind == to_string(CertificateAuthority{})) return CertificateAuthority{};
    return KeyPair{Secret(std::move(primary)), Secret(std::move(secondary))};
}

Authentication normalised(const Authentication& authentication) {
    const auto* thumbprints = std::get_if<Thumbprints>(&authentication);
    return thumbprints ? normalised(*thumbprints) : authentication;
}

Identity read_identity(const Query& row) {
    Identity identity;
    identity.target = {row.text(0), row.text(1)};
    identity.enabled = row.number(2) != 0;
    identity.created = row.text(3);
    identity.authentication = read_authentication(row, 4);
    return identity;
}

std::int64_t to_bits(const Permissions& p) {
    return p.registry_read | p.registry_write << 1 | p.service_connect << 2 | p.device_connect << 3;
}

Policy read_policy(const Query& row) {
    const auto bits = row.number(1);
    const Permissions permissions{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
    return {row.text(0), {Secret(row.text(2)), Secret(row.text(3))}, permissions};
}

std::string rfc3339(std::time_t time) {
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

void require_valid(const iothub::Target& target) {
    const bool module_fits = target.module_id.empty() || iothub::is_valid_identity_id(target.module_id);
    if (iothub::is_valid_identity_id(target.device_id) && module_fits) return;
    throw Failure(Errc::usage, "ids are 1 to 128 of A-Z a-z 0-9 - : . + % _ # * ? ! ( ) , = @ ; $ '");
}

void require_valid_policy_name(const std::string& name) {
    constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    if (name.empty() || name.size() > 64 || name.find_first_not_of(allowed) != std::string::npos)
        throw Failure(Errc::usage, "policy names are 1 to 64 of A-Z a-z 0-9 - _ .");
}

Failure no_such(const iothub::Target& target) {
    return {Errc::not_found, (target.module_id.empty() ? "device " : "module ") + target.to_string()};
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
    if (version > schema_version)
        throw Failure(Errc::state_unusable, file + " was made by a newer version of stream-hub");
    if (version == 0) {
        database_.execute(schema);
        database_.execute("PRAGMA application_id=" + std::to_string(application_id) +
                          "; PRAGMA user_version=" + std::to_string(schema_version));
    }
    transaction.commit();
}

std::optional<Identity> RegistryStore::find(const iothub::Target& target) {
    static const std::string sql = std::string(identity_columns) + " WHERE i.device_id = ? AND i.module_id = ?";
    auto query = database_.query(sql);
    query.bind(target.device_id).bind(target.module_id);
    if (!query.step()) return std::nullopt;
    return read_identity(query);
}

Identity RegistryStore::get(const iothub::Target& target) {
    auto identity = find(target);
    if (!identity) throw no_such(target);
    return std::move(*identity);
}

std::vector<Identity> RegistryStore::list() {
    static const std::string sql = std::string(identity_columns) + " ORDER BY i.device_id, i.module_id";
    auto query = database_.query(sql);
    std::vector<Identity> identities;
    while (query.step()) identities.push_back(read_identity(query));
    return identities;
}

Identity RegistryStore::add(const iothub::Target& target, const Authentication& authentication) {
    require_valid(target);
    Transaction transaction(database_);
    if (!target.module_id.empty() && !find({target.device_id, {}})) throw no_such({target.device_id, {}});
    if (find(target)) throw Failure(Errc::already_exists, target.to_string());
    const auto created = rfc3339(static_cast<std::time_t>(clock_.unix_seconds()));
    database_.query("INSERT INTO identity VALUES (?, ?, 1, ?, '', '', '')")
        .bind(target.device_id)
        .bind(target.module_id)
        .bind(created)
        .step();
    write(target, normalised(authentication));
    auto identity = get(target);
    transaction.commit();
    return identity;
}

void RegistryStore::write(const iothub::Target& target, const Authentication& authentication) {
    const auto credentials = credentials_of(authentication);
    database_
        .query(
            "UPDATE identity SET authentication = ?, primary_credential = ?, secondary_credential = ?"
            " WHERE device_id = ? AND module_id = ?")
        .bind(to_string(authentication))
        .bind(credentials[0])
        .bind(credentials[1])
        .bind(target.device_id)
        .bind(target.module_id)
        .step();
}

std::vector<iothub::Target> RegistryStore::with_modules(const iothub::Target& target) {
    get(target);
    if (!target.module_id.empty()) return {target};
    auto query = database_.query("SELECT device_id, module_id FROM identity WHERE device_id = ? ORDER BY module_id");
    query.bind(target.device_id);
    std::vector<iothub::Target> targets;
    while (query.step()) targets.push_back({query.text(0), query.text(1)});
    return targets;
}

std::vector<iothub::Target> RegistryStore::remove(const iothub::Target& target) {
    Transaction transaction(database_);
    auto targets = with_modules(target);
    for (const auto& gone : targets)
        database_.query("DELETE FROM identity WHERE device_id = ? AND module_id = ?")
            .bind(gone.device_id)
            .bind(gone.module_id)
            .step();
    transaction.commit();
    return targets;
}

std::vector<iothub::Target> RegistryStore::set_enabled(const iothub::Target& target, bool enabled) {
    Transaction transaction(database_);
    auto targets = with_modules(target);
    database_.query("UPDATE identity SET enabled = ? WHERE device_id = ? AND module_id = ?")
        .bind(std::int64_t{enabled})
        .bind(target.device_id)
        .bind(target.module_id)
        .step();
    transaction.commit();
    return targets;
}

Identity RegistryStore::set_authentication(const iothub::Target& target, const Authentication& authentication) {
    Transaction transaction(database_);
    auto identity = get(target);
    identity.authentication = normalised(authentication);
    write(target, identity.authentication);
    transaction.commit();
    return identity;
}

Identity RegistryStore::renew_key(const iothub::Target& target, WhichKey which) {
    Transaction transaction(database_);
    auto identity = get(target);
    auto* keys = std::get_if<KeyPair>(&identity.authentication);
    if (keys == nullptr) throw Failure(Errc::usage, target.to_string() + " logs in with a certificate: it has no keys");
    (which == WhichKey::primary ? keys->primary : keys->secondary) = make_key_pair().primary;
    write(target, identity.authentication);
    transaction.commit();
    return identity;
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
