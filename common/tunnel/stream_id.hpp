#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace device_streams {

/// Stream names are `{service}.{8 hex}[-letters]` (docs/wire-extensions.md, "Stream names"); the id part stands in
/// every log line of a stream.
struct StreamName {
    std::string service;
    std::string id;  ///< 8 hex digits
};
/// A fresh random name for a service.
StreamName make_stream_name(std::string_view service);
std::string to_string(const StreamName& name);
/// nullopt for names without that suffix (foreign ones, such as TestStream).
std::optional<StreamName> parse_stream_name(std::string_view name);
/// What a stream's name asks for: the name without its id. Foreign names stand for themselves.
std::string service_of(std::string_view name);
/// [A-Za-z0-9_-]{1,64}
bool is_valid_service_name(std::string_view name);
/// What to write in logs as the stream's id: the 8 hex digits, or the whole foreign name.
std::string loggable_stream_id(std::string_view name);

}  // namespace device_streams
