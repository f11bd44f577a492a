#include "common/base/file_readers.hpp"

namespace device_streams {

namespace {

bool grants_others(const std::filesystem::path& path, std::filesystem::perms wanted) {
    std::error_code hidden;
    const auto granted = std::filesystem::status(path, hidden).permissions();
    return !hidden && (granted & wanted) != std::filesystem::perms::none;
}

}  // namespace

bool others_can_read(const std::filesystem::path& file) {
    std::error_code missing;
    auto path = std::filesystem::canonical(file, missing);
    if (missing || !grants_others(path, std::filesystem::perms::others_read)) return false;
    while (path != path.root_path()) {
        path = path.parent_path();
        if (!grants_others(path, std::filesystem::perms::others_exec)) return false;
    }
    return true;
}

}  // namespace device_streams
