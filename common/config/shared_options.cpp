#include "common/config/shared_options.hpp"

#include "common/base/error.hpp"
#include "common/base/read_file.hpp"
#include "common/config/secret_files.hpp"
#include "common/config/suggestions.hpp"
#include "common/text/ascii.hpp"
#include "common/text/parts.hpp"

#include <algorithm>

namespace device_streams {

void require_readable(const std::string& key, const std::string& path, ParseContext& reading) {
    if (path.empty()) return;
    try {
        static_cast<void>(read_file(path));
    } catch (const Failure& failure) {
        reading.fault(key, "cannot be read: " + failure.detail());
    }
}

void require_folder(const std::string& key, const std::string& path, ParseContext& reading) {
    if (path.empty()) return;
    const auto folder = std::filesystem::absolute(path).parent_path();
    std::error_code hidden;
    if (std::filesystem::status(folder, hidden).type() == std::filesystem::file_type::not_found)
        reading.fault(key, "there is no folder " + folder.string() + ", allowed: a file in one that is there");
}

bool complete_connection_string(HubSettings& hub, ParseContext& reading) {
    const std::string text_key = "hub.connection_string";
    const std::string file_key = "hub.connection_string_file";
    const bool has_file = reading.given(file_key);
    const bool has_text = reading.given(text_key) && !reading.given_on_command_line(file_key);
    if (has_text && has_file) {
        reading.fault(file_key, "given together with hub.connection_string, allowed: one of the two");
    } else if (!has_text && !has_file) {
        reading.fault(file_key, "missing, allowed: a path (or hub.connection_string instead)");
    } else if (has_text) {
        warn_if_others_can_read(text_key, reading.source(), reading);
        return true;
    } else if (looks_like_credential(hub.connection_string_file)) {
        reading.fault(file_key, "this is the credential itself, allowed: the path of a file that holds it");
    } else if (auto secret = read_connection_string(file_key, hub.connection_string_file, reading)) {
        hub.connection_string = std::move(*secret);
        return true;
    }
    return false;
}

bool is_path_prefix(std::string_view path) {
    if (!path.starts_with('/') || !consists_of_alphanumerics_and(path, "/-._~")) return false;
    const auto segments = split(path.substr(1), '/');
    return std::ranges::none_of(segments,
                                [](std::string_view one) { return one.empty() || one == "." || one == ".."; });
}

ValueKind<LogLevel> log_level() {
    return choice<LogLevel>({{"debug", LogLevel::debug},
                             {"info", LogLevel::info},
                             {"warning", LogLevel::warning},
                             {"error", LogLevel::error}});
}

ValueKind<LogTarget> log_target() {
    return choice<LogTarget>({{"stderr", LogTarget::standard_error}, {"syslog", LogTarget::syslog}});
}

ValueKind<LogFormat> log_format() {
    return choice<LogFormat>({{"automatic", LogFormat::automatic},
                              {"human", LogFormat::human},
                              {"json", LogFormat::json},
                              {"journald", LogFormat::journald}});
}

ValueKind<RecordPlaneMode> record_plane_mode() {
    return choice<RecordPlaneMode>({{"auto", RecordPlaneMode::automatic}, {"off", RecordPlaneMode::off}});
}

}  // namespace device_streams
