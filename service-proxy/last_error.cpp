#include "service-proxy/last_error.hpp"

#include "common/app/private_files.hpp"
#include "common/base/log_text.hpp"
#include "common/base/random.hpp"

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

namespace device_streams::service {

namespace {

namespace fs = std::filesystem;

// Relative paths are to be ignored (XDG Base Directory Specification).
fs::path directory_in(const char* variable) {
    const char* value = std::getenv(variable);
    const fs::path path = value != nullptr ? value : "";
    return path.is_absolute() ? path : fs::path();
}

// Another process may be faster.
void make_directories(const fs::path& directory) {
    if (fs::exists(directory)) return;
    make_directories(directory.parent_path());
    try {
        make_private_directory(directory);
    } catch (const Failure&) {
        if (!fs::is_directory(directory)) throw;
    }
}

void replace(const fs::path& file, const std::string& text) {
    make_directories(file.parent_path());
    const auto fresh = file.string() + "." + random_hex(8);
    write_private_file(fresh, text);
    std::error_code failed;
    fs::rename(fresh, file, failed);
    if (failed) fs::remove(fresh, failed);
}

}  // namespace

fs::path last_error_file() {
    auto state = directory_in("XDG_STATE_HOME");
    if (state.empty()) {
        state = directory_in("HOME");
        if (state.empty()) return {};
        state /= ".local/state";
    }
    return state / "device-streams" / "last-error";
}

void keep_last_error(const fs::path& file, std::string_view destination, const Failure& failure) noexcept {
    if (file.empty()) return;
    try {
        const std::vector<LogField> fields{{"destination", destination}};
        replace(file, json_line(LogLevel::error, explain(failure), fields, std::chrono::system_clock::now()) + "\n");
    } catch (const std::exception&) {
        // The failure has been told, and this is about another one's loss.
    }
}

}  // namespace device_streams::service
