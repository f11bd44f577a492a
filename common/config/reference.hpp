#pragma once

#include "common/config/options.hpp"

#include <string>

/// What a table tells about itself in documents.
namespace device_streams {

/// The commented YAML file with every key: values are defaults or examples, optional ones commented out. This is what
/// stands in configs/.
std::string example_yaml(const TableInfo& table);

/// A markdown table of all options: key, flag, type and range, default, meaning.
std::string reference_markdown(const TableInfo& table);

}  // namespace device_streams
