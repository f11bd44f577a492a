#pragma once

#include "common/base/clock.hpp"
#include "hub/identity/revocation.hpp"
#include "hub/registry/sqlite.hpp"

#include <optional>
#include <string>
#include <vector>

namespace device_streams::hub {

/// The policies' part of a RegistryStore. What each call does and throws is told at Registry.
class PolicyStore {
 public:
    static constexpr const char* schema = R"(
CREATE TABLE policy (
    name TEXT NOT NULL PRIMARY KEY, permissions INTEGER NOT NULL,
    primary_key TEXT NOT NULL, secondary_key TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE policy_rule (
    policy TEXT NOT NULL, number INTEGER NOT NULL, rule TEXT NOT NULL,
    PRIMARY KEY (policy, number)
) STRICT, WITHOUT ROWID;
)";
    PolicyStore(Database& database, Clock& clock) : database_(database), clock_(clock) {}

    std::optional<Policy> find(const std::string& name);
    std::optional<Policy> find_keys(const std::string& name);
    std::vector<Policy> list();
    Policy add(const std::string& name, Permissions permissions, const KeyPair& keys,
               const std::vector<AllowRule>& rules);
    Policy allow(const std::string& name, const AllowRule& rule);
    // These return what has changed for those who use the policy.
    PolicyChange disallow(const std::string& name, const std::string& rule);
    PolicyChange remove(const std::string& name);
    PolicyChange renew_key(const std::string& name, WhichKey which);

 private:
    Policy get(const std::string& name);
    void read_rules(Policy& policy);
    void delete_rule(const std::string& policy, std::int64_t number);
    void insert_rule(const std::string& policy, const NumberedRule& rule);

    Database& database_;
    Clock& clock_;
};

}  // namespace device_streams::hub
