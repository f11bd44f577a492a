#include "common/base/error.hpp"
#include "common/base/random.hpp"
#include "common/iothub/connection_string.hpp"
#include "common/text/rfc3339.hpp"
#include "hub/registry/registry_store.hpp"

#include <array>

// The identities' part of the store.
namespace device_streams::hub {

namespace {

// A module counts as disabled when its device is.
constexpr std::string_view identity_columns =
    "SELECT i.device_id, i.module_id, i.enabled AND d.enabled, i.created,"
    " i.authentication, i.primary_credential, i.secondary_credential,"
    " i.status_reason, i.status_changed, i.generation, i.etag"
    " FROM identity i JOIN identity d ON d.device_id = i.device_id AND d.module_id = ''";

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
    identity.status_reason = row.text(7);
    identity.status_changed = row.text(8);
    identity.generation = row.text(9);
    identity.etag = row.text(10);
    return identity;
}

std::vector<Identity> read_all(Query& query) {
    std::vector<Identity> identities;
    while (query.step()) identities.push_back(read_identity(query));
    return identities;
}

void require_valid(const iothub::Target& target) {
    const bool module_fits = target.module_id.empty() || iothub::is_valid_identity_id(target.module_id);
    if (iothub::is_valid_identity_id(target.device_id) && module_fits) return;
    throw Failure(Errc::usage, "ids are 1 to 128 of A-Z a-z 0-9 - : . + % _ # * ? ! ( ) , = @ ; $ '");
}

Failure not_registered(const iothub::Target& target) {
    return {Errc::not_found, (target.module_id.empty() ? "device " : "module ") + target.to_string()};
}

}  // namespace

bool RegistryStore::has_certificate_users() {
    auto query =
        database_.query("SELECT 1 FROM identity INDEXED BY identity_certificate WHERE authentication <> 'sas' LIMIT 1");
    return query.step();
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
    if (!identity) throw not_registered(target);
    return std::move(*identity);
}

Identity RegistryStore::get_version(const iothub::Target& target, const std::string& etag) {
    auto identity = get(target);
    if (!etag.empty() && etag != identity.etag) throw VersionMismatch();
    return identity;
}

std::vector<Identity> RegistryStore::list() {
    static const std::string sql = std::string(identity_columns) + " ORDER BY i.device_id, i.module_id";
    auto query = database_.query(sql);
    return read_all(query);
}

std::vector<Identity> RegistryStore::list_devices(std::size_t most) {
    static const std::string sql =
        std::string(identity_columns) + " WHERE i.module_id = '' ORDER BY i.device_id LIMIT ?";
    auto query = database_.query(sql);
    query.bind(static_cast<std::int64_t>(most));
    return read_all(query);
}

std::vector<iothub::Target> RegistryStore::find_spelt_alike(const iothub::Target& target) {
    auto query = database_.query(spelt_alike);
    query.bind(target.device_id).bind(target.module_id);
    std::vector<iothub::Target> found;
    while (query.step()) found.push_back({query.text(0), query.text(1)});
    return found;
}

std::vector<Identity> RegistryStore::list_modules(const std::string& device_id) {
    static const std::string sql =
        std::string(identity_columns) + " WHERE i.device_id = ? AND i.module_id <> '' ORDER BY i.module_id";
    get({device_id, {}});
    auto query = database_.query(sql);
    query.bind(device_id);
    return read_all(query);
}

Identity RegistryStore::create(const iothub::Target& target, const IdentityDescription& description) {
    require_valid(target);
    const auto authentication = normalised(description.authentication);
    Transaction transaction(database_);
    if (!target.module_id.empty()) get({target.device_id, {}});
    if (find(target)) throw Failure(Errc::already_exists, target.to_string());
    const auto created = now(), generation = random_hex_id();
    database_.query("INSERT INTO identity VALUES (?, ?, ?, ?, '', '', '', ?, '', ?, '')")
        .bind(target.device_id)
        .bind(target.module_id)
        .bind(std::int64_t{description.enabled.value_or(true)})
        .bind(created)
        .bind(description.status_reason)
        .bind(generation)
        .step();
    write(target, authentication);
    auto identity = get(target);
    transaction.commit();
    return identity;
}

Identity RegistryStore::replace(const iothub::Target& target, const IdentityDescription& description,
                                const std::string& etag) {
    const auto authentication = normalised(description.authentication);
    Transaction transaction(database_);
    get_version(target, etag);
    if (description.enabled) write_status(target, *description.enabled, description.status_reason);
    write(target, authentication);
    auto identity = get(target);
    transaction.commit();
    return identity;
}

void RegistryStore::write(const iothub::Target& target, const Authentication& authentication) {
    const auto credentials = credentials_of(authentication);
    const auto etag = random_hex_id();
    database_
        .query(
            "UPDATE identity SET authentication = ?, primary_credential = ?, secondary_credential = ?, etag = ?"
            " WHERE device_id = ? AND module_id = ?")
        .bind(to_string(authentication))
        .bind(credentials[0])
        .bind(credentials[1])
        .bind(etag)
        .bind(target.device_id)
        .bind(target.module_id)
        .step();
}

void RegistryStore::write_status(const iothub::Target& target, bool enabled, const std::string& reason) {
    const auto etag = random_hex_id(), changed = now();
    database_
        .query(
            "UPDATE identity SET status_changed = iif(enabled = ?, status_changed, ?), enabled = ?, status_reason = ?,"
            " etag = ? WHERE device_id = ? AND module_id = ?")
        .bind(std::int64_t{enabled})
        .bind(changed)
        .bind(std::int64_t{enabled})
        .bind(reason)
        .bind(etag)
        .bind(target.device_id)
        .bind(target.module_id)
        .step();
}

std::string RegistryStore::now() const {
    return format_rfc3339(std::chrono::floor<std::chrono::seconds>(clock_.wall_now()));
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

std::vector<iothub::Target> RegistryStore::remove(const iothub::Target& target, const std::string& etag) {
    Transaction transaction(database_);
    get_version(target, etag);
    auto targets = with_modules(target);
    for (const auto& on_lost : targets)
        database_.query("DELETE FROM identity WHERE device_id = ? AND module_id = ?")
            .bind(on_lost.device_id)
            .bind(on_lost.module_id)
            .step();
    transaction.commit();
    return targets;
}

std::vector<iothub::Target> RegistryStore::set_enabled(const iothub::Target& target, bool enabled) {
    Transaction transaction(database_);
    auto targets = with_modules(target);
    write_status(target, enabled, {});
    transaction.commit();
    return targets;
}

Identity RegistryStore::set_authentication(const iothub::Target& target, const Authentication& authentication) {
    Transaction transaction(database_);
    get(target);
    write(target, normalised(authentication));
    auto changed = get(target);
    transaction.commit();
    return changed;
}

Identity RegistryStore::renew_key(const iothub::Target& target, WhichKey which) {
    Transaction transaction(database_);
    auto identity = get(target);
    auto* keys = std::get_if<KeyPair>(&identity.authentication);
    if (keys == nullptr) throw Failure(Errc::usage, target.to_string() + " logs in with a certificate: it has no keys");
    keys->of(which) = make_key_pair().primary;
    write(target, identity.authentication);
    auto changed = get(target);
    transaction.commit();
    return changed;
}

}  // namespace device_streams::hub
