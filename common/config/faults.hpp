#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace device_streams {

/// Where a setting came from.
struct SourceLocation {
    std::string source;  ///< file name, the flag on the command line, or the environment variable
    int line = 0;        ///< 1 is the first; 0: the source as a whole
    int column = 0;
    bool is_flag = false;
    bool is_environment = false;
};

/// Collects what is wrong with a configuration, so that all of it is told at once.
class Faults {
 public:
    /// `what` says what is wrong and what is allowed; it never repeats a secret.
    void add(const SourceLocation& place, std::string_view key, std::string_view what);
    bool empty() const { return faults_.empty(); }
    /// True when `key`, or a key below it, has a fault.
    bool concerns(std::string_view key) const;
    /// One line per fault: `file:line:column key: what`, or `--flag: what`; at most 100 lines, then a count.
    std::vector<std::string> lines() const;
    std::string text() const;  ///< the lines, without a line break at the end
    /// Throws Failure(config_invalid) with text(), or Failure(usage) if only the command line has faults.
    void raise_if_any() const;

 private:
    struct Fault {
        SourceLocation place;
        std::string key;
        std::string what;
    };
    std::vector<Fault> faults_;
};

}  // namespace device_streams
