#include "common/config/parse_context.hpp"

#include "common/config/suggestions.hpp"
#include "common/text/ascii.hpp"

#include <algorithm>
#include <set>

namespace device_streams {

namespace {

std::string join(const std::string& path, std::string_view key) {
    return path.empty() ? std::string(key) : path + "." + std::string(key);
}

/// `key` as messages show it: a word as it is, anything else in quotes.
std::string shown_key(const std::string& key) {
    const bool plain = !key.empty() && key.size() <= 40 && consists_of_alphanumerics_and(key, "_-");
    return plain ? key : shown(key);
}

/// Reads one map of a table: `section` is its dotted key in the table, `path` is what messages call it.
class SectionReader {
 public:
    SectionReader(std::span<const BoundOption> options, ParseContext& reading) : options_(options), reading_(reading) {}

    void read(const YamlNode& map, const std::string& section, const std::string& path) {
        read_entries(map, path, reading_, [&](const YamlEntry& entry) { read_entry(entry, section, path); });
    }

 private:
    void read_entry(const YamlEntry& entry, const std::string& section, const std::string& path) {
        const auto key = join(section, entry.key.text);
        const auto entry_path = join(path, entry.key.text);
        const auto option =
            std::ranges::find_if(options_, [&](const BoundOption& row) { return row.info->key == key; });
        if (option != options_.end()) {
            reading_.give(entry_path, reading_.at(entry.value));
            option->read(entry.value, entry_path, reading_);
        } else if (is_section(key)) {
            reading_.give(entry_path, reading_.at(entry.value));
            read(entry.value, key, entry_path);
        } else {
            refuse(entry.key, section, path);
        }
    }

    bool is_section(const std::string& key) const {
        return std::ranges::any_of(options_,
                                   [&](const BoundOption& row) { return row.info->key.starts_with(key + "."); });
    }

    /// The words that may stand in a section.
    std::vector<std::string> known_in(const std::string& section) const {
        const auto prefix = section.empty() ? "" : section + ".";
        std::vector<std::string> words;
        for (const auto& row : options_) {
            const auto& key = row.info->key;
            if (key.empty() || !key.starts_with(prefix)) continue;
            auto word = key.substr(prefix.size(), key.find('.', prefix.size()) - prefix.size());
            if (std::ranges::find(words, word) == words.end()) words.push_back(std::move(word));
        }
        return words;
    }

    /// A key that stands in the wrong section, usually by its indentation.
    std::string found_elsewhere(const std::string& word) const {
        for (const auto& row : options_) {
            const auto& key = row.info->key;
            if (key == word || key.ends_with("." + word) || key.starts_with(word + ".")) return key;
        }
        return {};
    }

    void refuse(const YamlNode& key, const std::string& section, const std::string& path) {
        const auto words = known_in(section);
        const auto elsewhere = found_elsewhere(key.text);
        const auto meant = elsewhere.empty() ? nearest(key.text, words) : elsewhere;
        const auto suggestion = meant.empty() ? "" : " (did you mean \"" + meant + "\"?)";
        const auto what = "this key is not known" + suggestion + ", allowed: " + listed(words);
        reading_.fault_at(reading_.at(key), join(path, shown_key(key.text)), what);
    }

    std::span<const BoundOption> options_;
    ParseContext& reading_;
};

std::string name_of(YamlNode::Kind kind) {
    switch (kind) {
        case YamlNode::Kind::nothing:
            return "nothing";
        case YamlNode::Kind::scalar:
            return "a single value";
        case YamlNode::Kind::list:
            return "a list";
        case YamlNode::Kind::map:
            break;
    }
    return "a map";
}

void refuse_kind(const YamlNode& node, const std::string& path, const std::string& expected, ParseContext& reading) {
    reading.fault_at(reading.at(node), path, name_of(node.kind) + " stands here, allowed: " + expected);
}

}  // namespace

bool ParseContext::given_on_command_line(const std::string& key) const {
    const auto origin = origins_.find(key);
    return origin != origins_.end() && origin->second.is_flag;
}

bool ParseContext::given_by_environment(const std::string& key) const {
    const auto origin = origins_.find(key);
    return origin != origins_.end() && origin->second.is_environment;
}

bool ParseContext::is_sound(std::span<const std::string> keys) const {
    return std::ranges::none_of(keys, [this](const std::string& key) { return faults_.concerns(key); });
}

void ParseContext::fault(const std::string& key, std::string_view what) {
    faults_.add(origin_of(key), key, what);
}

SourceLocation ParseContext::origin_of(const std::string& key) const {
    const auto origin = origins_.find(key);
    return origin != origins_.end() ? origin->second : SourceLocation{source_};
}

std::string expectation(const OptionInfo& info) {
    return info.allowed.empty() ? info.type : info.type + " (" + info.allowed + ")";
}

const std::string* read_scalar(const YamlNode& node, const std::string& path, const std::string& expected,
                               ParseContext& reading) {
    if (node.kind == YamlNode::Kind::scalar) return &node.text;
    refuse_kind(node, path, expected, reading);
    return nullptr;
}

void read_entries(const YamlNode& node, const std::string& path, ParseContext& reading,
                  const std::function<void(const YamlEntry&)>& each) {
    if (node.kind != YamlNode::Kind::map && node.kind != YamlNode::Kind::nothing)
        return refuse_kind(node, path, "a map of keys and values", reading);
    std::map<std::string, int> seen;
    for (const auto& entry : node.entries) {
        const auto [first, is_new] = seen.emplace(entry.key.text, entry.key.line);
        if (entry.key.kind != YamlNode::Kind::scalar) {
            reading.fault_at(reading.at(entry.key), path, "a value without key, allowed: key: value");
        } else if (is_new) {
            each(entry);
        } else {
            reading.fault_at(reading.at(entry.key), join(path, shown_key(entry.key.text)),
                             "given twice (first in line " + std::to_string(first->second) + "), allowed: once");
        }
    }
}

void read_items(const YamlNode& node, const std::string& path, ParseContext& reading,
                const std::function<void(const YamlNode&, const std::string& item_path)>& each) {
    if (node.kind != YamlNode::Kind::list && node.kind != YamlNode::Kind::nothing)
        return refuse_kind(node, path, "a list (each item starts with -)", reading);
    std::size_t index = 0;
    for (const auto& item : node.items) each(item, path + "[" + std::to_string(index++) + "]");
}

void read_options(const YamlNode& map, const std::string& path, std::span<const BoundOption> options,
                  ParseContext& reading) {
    SectionReader(options, reading).read(map, "", path);
}

}  // namespace device_streams
