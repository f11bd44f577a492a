#pragma once

#include <filesystem>

namespace device_streams {

/// True when users that are neither the file's owner nor of its group can read it: its mode lets them, and so do those
/// of all the folders that lead to it. False when that cannot be told.
bool others_can_read(const std::filesystem::path& file);

}  // namespace device_streams
