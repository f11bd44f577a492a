#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace device_streams {

/// The whole file; throws Failure(file_unreadable) with path and reason, also when it is longer than `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit = 1024 * 1024);

}  // namespace device_streams
