#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace device_streams::http {

/// Header fields; names compare without regard to case. In a message that was read, fields of the same name are one
/// field whose values are joined by ", " (RFC 9110 section 5.3), so a repeated field never hides behind the first.
class Headers {
 public:
    Headers() = default;
    Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}
    void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
    /// The first value of that name, without surrounding blanks; nullopt when there is none.
    std::optional<std::string_view> find(std::string_view name) const;
    /// True when a comma-separated list in the field holds `token` (without regard to case).
    bool has_token(std::string_view name, std::string_view token) const;
    const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
    std::string method;
    std::string target;  ///< as it stood in the request line: path and query, not decoded
    Headers headers;
    std::string body;
    bool keep_alive = true;
    int minor_version = 1;  ///< when reading: 0 for HTTP/1.0; HTTP/1.1 is always written

    /// The target up to `?`.
    std::string_view path() const;
};

struct Response {
    int status = 200;
    std::string reason;  ///< empty: the usual text for the status
    Headers headers;
    std::string body;
    bool keep_alive = true;  ///< when reading: what the server said; when writing: adds Connection: close if false
};

}  // namespace device_streams::http
