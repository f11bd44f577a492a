#include "hub/registry/registry_store.hpp"

#include "common/app/private_files.hpp"
#include "common/base/error.hpp"

#include <filesystem>
#include <system_error>

namespace device_streams::hub {

namespace {

// "DSHB": tells our files from other SQLite files.
constexpr std::int64_t application_id = 0x44534842;
constexpr std::int64_t schema_version = 3;
constexpr const char* schema = R"(
CREATE TABLE identity (
    device_id TEXT NOT NULL, module_id TEXT NOT NULL, enabled INTEGER NOT NULL, created TEXT NOT NULL,
    authentication TEXT NOT NULL, primary_credential TEXT NOT NULL, secondary_credential TEXT NOT NULL,
    status_reason TEXT NOT NULL, status_changed TEXT NOT NULL, generation TEXT NOT NULL, etag TEXT NOT NULL,
    PRIMARY KEY (device_id, module_id)
) STRICT, WITHOUT ROWID;
)";
// Small where tokens are used; looked at after every change.
constexpr const char* certificate_index =
    "CREATE INDEX IF NOT EXISTS identity_certificate ON identity (authentication) WHERE authentication <> 'sas'";

// Ids that are not there are asked for by mistake and on purpose, and each look at what is spelt alike would be a scan.
constexpr const char* spelling_index =
    "CREATE INDEX IF NOT EXISTS identity_spelling ON identity (device_id COLLATE NOCASE, module_id COLLATE NOCASE)";

// Made by us, not by SQLite: it must never be readable for others, not for a moment.
const std::string& make_file(const std::string& file, RegistryStore::Mode mode) {
    if (file == SqliteRegistry::in_memory) return file;
    if (mode == RegistryStore::Mode::open_existing) {
        std::error_code missing;
        const auto size = std::filesystem::file_size(file, missing);
        if (missing == std::errc::no_such_file_or_directory)
            throw Failure(Errc::state_unusable, file + " does not exist; stream-hub init makes a new hub");
        if (!missing && size == 0) throw Failure(Errc::state_unusable, file + " is empty: it has lost what it held");
        return file;
    }
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
    : reserve_(file == SqliteRegistry::in_memory ? std::string() : file + ".reserve"),
      database_(make_file(file, mode)),
      clock_(clock),
      policies_(database_, clock) {
    revoking([&] { return prepare_tables(file); });
    reserve_.fill();
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
        database_.execute(PolicyStore::schema);
        database_.execute("PRAGMA application_id=" + std::to_string(application_id) +
                          "; PRAGMA user_version=" + std::to_string(schema_version));
    }
    database_.execute(certificate_index);
    database_.execute(spelling_index);
    transaction.commit();
}

}  // namespace device_streams::hub
