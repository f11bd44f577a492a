#pragma once

#include "common/base/error.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

/// SQLite in the house's manner: owners instead of handles, Failure(state_unusable or disk_full) instead of codes. One
/// thread at a time.
namespace device_streams::hub {

/// A prepared statement under way: binds its parameters from left to right, then steps. Resets itself when dropped.
class Query {
 public:
    explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;
    ~Query();

    /// The text must live until the query is dropped.
    Query& bind(std::string_view text);
    Query& bind(std::int64_t number);
    /// True when there is a row to read; false at the end.
    bool step();
    std::string text(int column) const;
    std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }

 private:
    sqlite3_stmt* statement_;
    int bound_ = 0;
};

/// An open database file. Statements are prepared once and kept.
class Database {
 public:
    /// `file` must exist, or be ":memory:".
    explicit Database(const std::string& file);
    Query query(std::string_view sql);
    /// Runs statements that give no rows.
    void execute(const std::string& sql);
    /// How many rows the last statement changed.
    int changed() const { return sqlite3_changes(handle_.get()); }

 private:
    struct Close {
        void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    std::unique_ptr<sqlite3, Close> handle_;
    std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>, std::less<>> statements_;
};

/// Everything or nothing: rolls back unless commit() was reached.
class Transaction {
 public:
    explicit Transaction(Database& database);
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();
    void commit();

 private:
    Database& database_;
    bool open_ = true;
};

}  // namespace device_streams::hub
