#pragma once

#include "common/base/read_file.hpp"
#include "common/config/parse_context.hpp"
#include "common/config/values.hpp"

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace device_streams {

/// Where a configuration comes from: a file (or its text), what flags say, and the environment at the start; flags win
/// over the file, and the file over the environment.
struct ConfigSources {
    std::optional<std::filesystem::path> file = {};
    /// What the file holds; without a file, relative paths start from `base`. Read by load() when it is missing.
    std::optional<std::string> text = {};
    std::filesystem::path base = {};
    /// By OptionInfo::flag, in the order given.
    std::map<std::string, std::vector<std::string>> flags = {};
    /// The variables of OptionInfo::environment that are set and not empty.
    std::map<std::string, std::string> environment = {};
};

/// The same sources with the text that the file has now. Throws Failure(file_unreadable).
inline ConfigSources read_again(ConfigSources sources) {
    if (sources.file) sources.text = read_file(*sources.file);
    return sources;
}

/// A member of a member, for OptionTable::add: `member(&Config::log, &LogSettings::level)`.
template <typename First, typename... Rest>
constexpr auto member(First first, Rest... rest) {
    return [ first, rest... ](auto& config) -> auto& {
        if constexpr (sizeof...(rest) == 0)
            return config.*first;
        else
            return member(rest...)(config.*first);
    };
}

/// What a table tells about itself, for --help, the shipped file and documents.
struct TableInfo {
    std::string program;
    std::string summary;
    std::vector<std::pair<std::string, std::string>> sections;  ///< dotted key and help
    std::vector<const OptionInfo*> options;
    std::function<std::string()> about;  ///< more lines for `--version --verbose`; may be empty
};

/// All options of one program, each declared once: the rows feed the YAML reader, the command line, --help, the shipped
/// commented file and the option reference. Defaults are those of a default-constructed Config.
template <typename Config>
class OptionTable {
 public:
    using Rule = std::function<void(Config&, ParseContext&)>;

    OptionTable(std::string program, std::string summary)
        : program_(std::move(program)), summary_(std::move(summary)) {}

    /// What `--version --verbose` prints behind the version.
    void about(std::function<std::string()> lines) { about_ = std::move(lines); }

    /// Describes the keys that start with `key.`; declare a section's options one after the other.
    void section(std::string key, std::string help) { sections_.emplace_back(std::move(key), std::move(help)); }

    /// One value; `member`, a pointer to a member or member(), leads to the T (or optional<T>) that holds it.
    template <typename T, typename Member>
    void add(OptionInfo info, ValueKind<T> kind, Member member) {
        info.type = kind.type;
        info.allowed = kind.allowed;
        Config defaults;
        info.default_text = printed_default(kind, std::invoke(member, defaults));
        auto set = [kind, member](Config& config, const RawValue& raw) {
            std::invoke(member, config) = kind.parse(raw);
        };
        options_.push_back({std::move(info), std::move(set), {}, differs_in(member), text_of(member)});
    }

    /// A flag without key; `set` throws BadValue.
    void add_flag(OptionInfo info, std::function<void(Config&, const RawValue&)> set) {
        options_.push_back({std::move(info), std::move(set), {}, {}, {}});
    }

    /// A list of maps with the keys of `items`; `member` leads to a vector of items that compare.
    template <typename Item, typename Member>
    void add_list(OptionInfo info, OptionTable<Item> items, Member member) {
        info.type = "list";
        for (const auto* item : items.info().options) info.items.push_back(*item);
        auto read = [items, member](Config& config, const YamlNode& node, const std::string& path,
                                    ParseContext& reading) {
            read_items(node, path, reading, [&](const YamlNode& item, const std::string& item_path) {
                std::invoke(member, config).push_back(items.read_item(item, item_path, reading));
            });
        };
        options_.push_back({std::move(info), {}, std::move(read), differs_in(member), {}});
    }

    /// A list of values, not empty where it stands; `member` leads to a vector of T.
    template <typename T, typename Member>
    void add_values(OptionInfo info, ValueKind<T> kind, Member member) {
        info.type = "list";
        info.allowed = "of " + expectation({.type = kind.type, .allowed = kind.allowed}) + ", at least one";
        auto read = [kind, member](Config& config, const YamlNode& node, const std::string& path,
                                   ParseContext& reading) {
            const auto before = std::invoke(member, config).size();
            read_items(node, path, reading, [&](const YamlNode& item, const std::string& item_path) {
                std::invoke(member, config).push_back(parse_at(kind, item, item_path, reading).value_or(T()));
            });
            const bool is_list = node.kind == YamlNode::Kind::list || node.kind == YamlNode::Kind::nothing;
            if (is_list && std::invoke(member, config).size() == before)
                reading.fault_at(reading.at(node), path, "it is empty, allowed: a list with at least one item");
        };
        options_.push_back({std::move(info), {}, std::move(read), differs_in(member), {}});
    }

    /// A map from names of the user's choice to maps with the keys of `items`; a single value instead of such a map
    /// stands for its key `short_key`. `member` leads to a map from string to items that compare.
    template <typename Item, typename Member>
    void add_map(OptionInfo info, ValueKind<std::string> names, OptionTable<Item> items, std::string short_key,
                 Member member) {
        info.type = "map";
        info.allowed = "of names (" + names.allowed + ") to " + short_key + "es, or to maps";
        for (const auto* item : items.info().options) info.items.push_back(*item);
        auto read = [names, items, short_key, member](Config& config, const YamlNode& node, const std::string& path,
                                                      ParseContext& reading) {
            read_entries(node, path, reading, [&](const YamlEntry& entry) {
                const auto name = parse_at(names, entry.key, path, reading);
                if (!name) return;
                const auto entry_path = path + "." + *name;
                reading.give(entry_path, reading.at(entry.value));
                auto item = entry.value.kind == YamlNode::Kind::map
                                ? items.read_item(entry.value, entry_path, reading)
                                : items.read_short(short_key, entry.value, entry_path, reading);
                std::invoke(member, config).emplace(*name, std::move(item));
            });
        };
        options_.push_back({std::move(info), {}, std::move(read), differs_in(member), {}});
    }

    /// A rule across `keys`, run once all values are in, unless one of the keys has a fault. It may add faults, and
    /// fill in what follows from other values.
    void rule(std::vector<std::string> keys, Rule check) { rules_.emplace_back(std::move(keys), std::move(check)); }

    /// Throws Failure(config_invalid) with all faults, one per line, Failure(usage) when only flags are wrong, or
    /// Failure(file_unreadable). `warnings` gets what works and is unwise.
    Config load(const ConfigSources& sources, Faults* warnings = nullptr) const {
        Faults faults;
        const auto source = sources.file ? sources.file->string() : sources.text ? "config" : program_;
        ParseContext reading(source, sources.file ? sources.file->parent_path() : sources.base, faults);
        Config config;
        if (read_file_of(sources, source, config, reading, faults)) {
            set_flags(sources, config, reading);
            set_from_environment(sources, config, reading);
            require(reading);
            for (const auto& [keys, check] : rules_) {
                if (reading.is_sound(keys)) check(config, reading);
            }
        }
        faults.raise_if_any();
        if (warnings != nullptr) *warnings = reading.warnings();
        return config;
    }

    /// As load(), for a reader of these keys only: what stands at other keys may be missing or wrong, also what is no
    /// key at all. Other members of the result mean nothing.
    Config load_part(const ConfigSources& sources, const std::vector<std::string>& keys) const {
        Faults faults;
        ParseContext reading(sources.file->string(), sources.file->parent_path(), faults);
        const auto is_read = [&](const std::string& key) { return std::ranges::find(keys, key) != keys.end(); };
        Config config;
        if (read_file_of(sources, sources.file->string(), config, reading, faults)) {
            require(reading);
            if (reading.is_sound(keys)) {
                faults = {};
                for (const auto& [used, check] : rules_) {
                    if (std::ranges::all_of(used, is_read)) check(config, reading);
                }
            }
        }
        faults.raise_if_any();
        return config;
    }

    /// One item of a list of this table's Config; for add_list.
    Config read_item(const YamlNode& node, const std::string& path, ParseContext& reading) const {
        Config config;
        read_options(node, path, bind(config), reading);
        if (node.kind != YamlNode::Kind::map) return config;
        for (const auto& option : options_) {
            const auto key = path + "." + option.info.key;
            if (option.info.required && !reading.given(key))
                reading.fault_at(reading.at(node), key, missing(option.info));
        }
        return config;
    }

    /// An item of which nothing but the value of `key` is given; for add_map.
    Config read_short(const std::string& key, const YamlNode& node, const std::string& path,
                      ParseContext& reading) const {
        Config config;
        const auto option = std::ranges::find(options_, key, [](const Option& row) { return row.info.key; });
        read_value(*option, config, node, path, reading);
        return config;
    }

    /// The keys whose values differ, in the order of the rows; those that take a restart, or the others.
    std::vector<std::string> changed_keys(const Config& before, const Config& after, bool take_restart) const {
        std::vector<std::string> keys;
        for (const auto& option : options_) {
            if (option.info.takes_restart == take_restart && option.differs && option.differs(before, after))
                keys.push_back(option.info.key);
        }
        return keys;
    }

    /// The files whose content is in use.
    std::vector<std::string> files(const Config& config) const {
        std::vector<std::string> paths;
        for (const auto& option : options_) {
            if (!option.info.names_file) continue;
            if (auto path = option.text(config); !path.empty()) paths.push_back(std::move(path));
        }
        return paths;
    }

    const std::string& program() const { return program_; }
    TableInfo info() const {
        TableInfo info{program_, summary_, sections_, {}, about_};
        for (const auto& option : options_) info.options.push_back(&option.info);
        return info;
    }

 private:
    struct Option {
        OptionInfo info;
        std::function<void(Config&, const RawValue&)> set;                                      // values and flags
        std::function<void(Config&, const YamlNode&, const std::string&, ParseContext&)> read;  // lists and maps
        std::function<bool(const Config&, const Config&)> differs;                              // all with a key
        std::function<std::string(const Config&)> text;                                         // values that are text
    };

    template <typename Member>
    static std::function<bool(const Config&, const Config&)> differs_in(Member member) {
        return [member](const Config& before, const Config& after) {
            return !(std::invoke(member, before) == std::invoke(member, after));
        };
    }
    template <typename Member>
    static std::function<std::string(const Config&)> text_of(Member member) {
        if constexpr (std::is_same_v<std::invoke_result_t<Member, const Config&>, const std::string&>)
            return [member](const Config& config) { return std::invoke(member, config); };
        else
            return {};
    }

    template <typename T, typename Value>
    static std::string printed_default(const ValueKind<T>& kind, const Value& value) {
        if constexpr (std::is_same_v<Value, std::optional<T>>) {
            return value ? kind.print(*value) : std::string();
        } else if constexpr (is_duration<Value>) {
            return kind.print(std::chrono::duration_cast<T>(value));
        } else {
            return value == Value{} && !std::is_arithmetic_v<Value> && !std::is_enum_v<Value> ? std::string()
                                                                                              : kind.print(value);
        }
    }
    template <typename T>
    static constexpr bool is_duration = requires {
        typename T::period;
    };

    static std::string missing(const OptionInfo& info) { return "missing, allowed: " + expectation(info); }

    template <typename T>
    static std::optional<T> parse_at(const ValueKind<T>& kind, const YamlNode& node, const std::string& path,
                                     ParseContext& reading) {
        const auto expected = expectation({.type = kind.type, .allowed = kind.allowed});
        const auto* text = read_scalar(node, path, expected, reading);
        if (text == nullptr) return std::nullopt;
        try {
            return kind.parse({*text, reading.base()});
        } catch (const BadValue& wrong) {
            reading.fault_at(reading.at(node), path, wrong.what() + (", allowed: " + expected));
            return std::nullopt;
        }
    }

    std::vector<BoundOption> bind(Config& config) const {
        std::vector<BoundOption> bound;
        for (const auto& option : options_) {
            if (option.info.key.empty()) continue;
            bound.push_back({&option.info,
                             [&option, &config](const YamlNode& node, const std::string& path, ParseContext& reading) {
                                 if (option.read) return option.read(config, node, path, reading);
                                 read_value(option, config, node, path, reading);
                             }});
        }
        return bound;
    }

    static void read_value(const Option& option, Config& config, const YamlNode& node, const std::string& path,
                           ParseContext& reading) {
        const auto* text = read_scalar(node, path, expectation(option.info), reading);
        if (text != nullptr) set_value(option, config, {*text, reading.base()}, path, reading);
    }

    static void set_value(const Option& option, Config& config, const RawValue& raw, const std::string& path,
                          ParseContext& reading) {
        try {
            option.set(config, raw);
        } catch (const BadValue& wrong) {
            reading.fault(path, wrong.what() + (", allowed: " + expectation(option.info)));
        }
    }

    /// False when there is no telling what the file holds.
    bool read_file_of(const ConfigSources& sources, const std::string& source, Config& config, ParseContext& reading,
                      Faults& faults) const {
        if (!sources.file && !sources.text) return true;
        const auto yaml = parse_yaml(sources.text ? *sources.text : read_file(*sources.file), source, faults);
        if (!yaml) return false;
        read_options(*yaml, "", bind(config), reading);
        return true;
    }

    void set_flags(const ConfigSources& sources, Config& config, ParseContext& reading) const {
        for (const auto& option : options_) {
            const auto given = sources.flags.find(option.info.flag);
            if (option.info.flag.empty() || given == sources.flags.end()) continue;
            const auto& path = option.info.key.empty() ? option.info.flag : option.info.key;
            for (const auto& text : given->second) {
                reading.give(path, {.source = option.info.flag, .is_flag = true});
                set_value(option, config, {text, {}}, path, reading);
            }
        }
    }

    void set_from_environment(const ConfigSources& sources, Config& config, ParseContext& reading) const {
        for (const auto& option : options_) {
            if (reading.given(option.info.key)) continue;
            const auto& names = option.info.environment;
            const auto is_set = [&](const std::string& name) { return sources.environment.contains(name); };
            const auto name = std::ranges::find_if(names, is_set);
            if (name == names.end()) continue;
            reading.give(option.info.key, {.source = "environment variable " + *name, .is_environment = true});
            set_value(option, config, {sources.environment.at(*name), {}}, option.info.key, reading);
        }
    }

    void require(ParseContext& reading) const {
        for (const auto& option : options_) {
            if (option.info.required && !reading.given(option.info.key))
                reading.fault(option.info.key, missing(option.info));
        }
    }

    std::function<std::string()> about_;
    std::string program_;
    std::string summary_;
    std::vector<std::pair<std::string, std::string>> sections_;
    std::vector<Option> options_;
    std::vector<std::pair<std::vector<std::string>, Rule>> rules_;
};

}  // namespace device_streams
