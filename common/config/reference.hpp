#pragma once

#include "common/config/options.hpp"

#include <string>

namespace CLI {
class App;
}

/// What a table tells about itself in documents.
namespace device_streams {

/// The commented YAML file with every key: values are defaults or examples, optional ones commented out. This is what
/// stands in configs/.
std::string example_yaml(const TableInfo& table);

/// A markdown table of all options: key, flag, type and range, default, meaning.
std::string reference_markdown(const TableInfo& table);

/// A markdown table of all subcommands with their arguments; empty when there are none.
std::string command_markdown(const CLI::App& app);

/// A markdown table of all errors that users can meet (common/base/error.hpp): code, what it says, what to do next, and
/// the exit code of a program that could not start because of it.
std::string error_markdown();

}  // namespace device_streams
