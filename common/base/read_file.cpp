#include "common/base/read_file.hpp"

#include "common/base/error.hpp"

#include <cerrno>
#include <fstream>

namespace device_streams {

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
    const auto fail = [&path](const std::string& reason) {
        throw Failure(Errc::file_unreadable, path.string() + ": " + reason);
    };
    if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) fail("it is a directory");
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) fail(std::generic_category().message(errno));
    std::string text(limit + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) fail(std::generic_category().message(errno));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > limit) fail("it is longer than " + std::to_string(limit) + " bytes");
    return text;
}

}  // namespace device_streams
