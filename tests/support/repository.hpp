#pragma once

#include <filesystem>
#include <string_view>

namespace device_streams::test {

/// Where a file of the repository lies that this was built from; `name` is relative to its root.
std::filesystem::path repository_file(std::string_view name);

}  // namespace device_streams::test
