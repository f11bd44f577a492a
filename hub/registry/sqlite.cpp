#include "hub/registry/sqlite.hpp"

#include "common/base/error.hpp"

#include <cerrno>

namespace device_streams::hub {

namespace {

bool is_disk_full(sqlite3* handle) {
    const int code = sqlite3_errcode(handle) & 0xff;
    return code == SQLITE_FULL ||
           ((code == SQLITE_IOERR || code == SQLITE_CANTOPEN) && sqlite3_system_errno(handle) == ENOSPC);
}

// SQLite's messages name files, tables and columns, never values.
[[noreturn]] void fail(sqlite3* handle, const std::string& during) {
    if (handle && (sqlite3_errcode(handle) & 0xff) == SQLITE_BUSY)
        throw Failure(Errc::state_unusable, during + ": another program is writing to it; try again");
    if (handle && is_disk_full(handle)) throw Failure(Errc::disk_full, during + ": " + sqlite3_errmsg(handle));
    throw Failure(Errc::state_unusable, during + ": " + (handle ? sqlite3_errmsg(handle) : "out of memory"));
}

}  // namespace

Query::~Query() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

Query& Query::bind(std::string_view text) {
    const int size = static_cast<int>(text.size());
    if (sqlite3_bind_text(statement_, ++bound_, text.data(), size, SQLITE_STATIC) != SQLITE_OK)
        fail(sqlite3_db_handle(statement_), "registry");
    return *this;
}

Query& Query::bind(std::int64_t number) {
    if (sqlite3_bind_int64(statement_, ++bound_, number) != SQLITE_OK) fail(sqlite3_db_handle(statement_), "registry");
    return *this;
}

bool Query::step() {
    const int result = sqlite3_step(statement_);
    if (result == SQLITE_ROW) return true;
    if (result != SQLITE_DONE) fail(sqlite3_db_handle(statement_), "registry");
    return false;
}

std::string Query::text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return text ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))) : std::string();
}

Database::Database(const std::string& file) {
    sqlite3* handle = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
    const int result = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
    handle_.reset(handle);
    if (result != SQLITE_OK) fail(handle, file);
    // Another process may hold the file for a moment, as a backup does. All logins wait meanwhile.
    sqlite3_busy_timeout(handle, 1000);
}

Query Database::query(std::string_view sql) {
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
        sqlite3_stmt* statement = nullptr;
        const int size = static_cast<int>(sql.size());
        if (sqlite3_prepare_v3(handle_.get(), sql.data(), size, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
            SQLITE_OK)
            fail(handle_.get(), "registry");
        found = statements_.emplace(sql, statement).first;
    }
    return Query(found->second.get());
}

void Database::execute(const std::string& sql) {
    if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        fail(handle_.get(), "registry");
}

Transaction::Transaction(Database& database) : database_(database) {
    // IMMEDIATE: a writer waits here, not in the middle of its work.
    database_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
    if (!open_) return;
    try {
        database_.execute("ROLLBACK");
    } catch (const Failure&) {
        // SQLite has already rolled back, as it does when the disk is full.
    }
}

void Transaction::commit() {
    database_.execute("COMMIT");
    open_ = false;
}

}  // namespace device_streams::hub
