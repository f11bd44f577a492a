#pragma once

#include "common/config/faults.hpp"
#include "common/config/yaml_reader.hpp"

#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace device_streams {

/// One row of an option table, without the code that stores its value.
struct OptionInfo {
    std::string key = {};    ///< dotted path in YAML, "hub.port"; empty: on the command line only
    std::string flag = {};   ///< as CLI11 takes it, "--hub-port" or "-L,--forward"; empty: in YAML only
    std::string value = {};  ///< what stands for the value in --help; empty: the type
    std::string help = {};   ///< sentences
    /// Environment variables that give the value where neither file nor flag does; the first that is not empty counts.
    std::vector<std::string> environment = {};
    /// YAML text in the shipped file when there is no default; of maps and lists: the block below the key, and a list
    /// without one shows its items' examples.
    std::string example = {};
    bool optional_example = false;  ///< the example, of lists in one line, is commented out
    bool required = false;
    bool repeatable = false;     ///< flags only: may be given more than once
    bool names_file = false;     ///< the value is the path of a file whose content is in use while the program runs
    bool takes_restart = false;  ///< a running program keeps the value that it was started with

    std::string type = {};               ///< of its values; filled by the table
    std::string allowed = {};            ///< likewise
    std::string default_text = {};       ///< likewise; empty: none
    std::vector<OptionInfo> items = {};  ///< of a list or map: the keys of each item; likewise
};

/// One configuration on its way from file and flags to its struct: what was given where, and what is wrong with it.
class ParseContext {
 public:
    /// `base` is where relative paths in the file start from.
    ParseContext(std::string source, std::filesystem::path base, Faults& faults)
        : source_(std::move(source)), base_(std::move(base)), faults_(faults) {}

    const std::filesystem::path& base() const { return base_; }
    /// The file's path; another word where the text comes from no file.
    const std::string& source() const { return source_; }
    SourceLocation at(const YamlNode& node) const { return {source_, node.line, node.column}; }

    /// Remembers where the value of `key` came from; the last place counts.
    void give(const std::string& key, SourceLocation place) { origins_[key] = std::move(place); }
    bool given(const std::string& key) const { return origins_.contains(key); }
    bool given_on_command_line(const std::string& key) const;
    bool given_by_environment(const std::string& key) const;
    /// False when any of the keys has a fault: rules about them would only mislead.
    bool is_sound(std::span<const std::string> keys) const;

    /// Adds a fault at the place that gave `key`, or at the file when nothing did.
    void fault(const std::string& key, std::string_view what);
    void fault_at(const SourceLocation& place, std::string_view key, std::string_view what) {
        faults_.add(place, key, what);
    }
    /// The same for what works and is unwise.
    void warn(const std::string& key, std::string_view what) { warnings_.add(origin_of(key), key, what); }
    const Faults& warnings() const { return warnings_; }

 private:
    SourceLocation origin_of(const std::string& key) const;

    std::string source_;
    std::filesystem::path base_;
    Faults& faults_;
    Faults warnings_{};
    std::map<std::string, SourceLocation> origins_;
};

/// An option bound to the struct that is being filled.
struct BoundOption {
    const OptionInfo* info;
    /// `path` is the key as messages show it, with the index of list items: "forwards[0].listen".
    std::function<void(const YamlNode&, const std::string& path, ParseContext&)> read;
};

/// Reads a map whose keys are those of `options`; sections (the parts of dotted keys) are maps in it. Faults: unknown
/// and repeated keys (with the nearest known one), what options find wrong, and required options that are missing.
void read_options(const YamlNode& map, const std::string& path, std::span<const BoundOption> options,
                  ParseContext& reading);

/// The text of a scalar; faults (and nullptr) for anything else. `expected` names what should stand there.
const std::string* read_scalar(const YamlNode& node, const std::string& path, const std::string& expected,
                               ParseContext& reading);

/// Calls `each` for every entry of a map or every item of a list; nothing there counts as empty, anything else is a
/// fault.
void read_entries(const YamlNode& node, const std::string& path, ParseContext& reading,
                  const std::function<void(const YamlEntry&)>& each);
void read_items(const YamlNode& node, const std::string& path, ParseContext& reading,
                const std::function<void(const YamlNode&, const std::string& item_path)>& each);

/// "duration (1s..5m)"
std::string expectation(const OptionInfo& info);

}  // namespace device_streams
