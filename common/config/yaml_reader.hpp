#pragma once

#include "common/config/faults.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace device_streams {

struct YamlEntry;

/// A piece of a YAML file with its place. All scalars are text; what they mean is for their reader to say.
struct YamlNode {
    enum class Kind { nothing, scalar, list, map };
    Kind kind = Kind::nothing;
    int line = 0;  ///< 1 is the first
    int column = 0;
    std::string text;                ///< of a scalar
    std::vector<YamlNode> items;     ///< of a list
    std::vector<YamlEntry> entries;  ///< of a map, in file order, repeated keys included
};

struct YamlEntry {
    YamlNode key;  ///< a scalar
    YamlNode value;
};

/// What a configuration file may be at most; more is a fault, not a hang.
struct YamlLimits {
    std::size_t bytes = 1024 * 1024;
    std::size_t depth = 16;
    std::size_t nodes = 100'000;
};

/// Parses one document. Plain YAML only: no aliases, no tags, no control characters, no second document. nullopt after
/// adding a fault for `source`; an empty document is an empty map.
std::optional<YamlNode> parse_yaml(std::string_view text, const std::string& source, Faults& faults,
                                   const YamlLimits& limits = {});

}  // namespace device_streams
