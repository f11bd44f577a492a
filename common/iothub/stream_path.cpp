#include "common/iothub/connection_string.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/text/ascii.hpp"
#include "common/text/decimal.hpp"
#include "common/text/hex.hpp"
#include "common/text/parts.hpp"
#include "common/text/percent.hpp"

#include <algorithm>

namespace device_streams::iothub {

namespace {

// Walks the segments of a path; once something did not fit, it stays failed.
class PathReader {
 public:
    explicit PathReader(std::string_view path) : segments_(split(path.substr(0, path.find('?')), '/', most_segments)) {
        word("");  // before the leading slash
    }

    void word(std::string_view expected) {
        if (next() != expected) failed_ = true;
    }
    bool at_word(std::string_view expected) const { return at_ < segments_.size() && segments_[at_] == expected; }
    std::string id() {
        auto id = percent_decode(next()).value_or("");
        if (!is_valid_identity_id(id)) failed_ = true;
        return id;
    }
    std::string raw() { return std::string(next()); }
    bool done() const { return !failed_ && at_ == segments_.size(); }

 private:
    static constexpr std::size_t most_segments = 16;

    std::string_view next() {
        if (at_ < segments_.size()) return segments_[at_++];
        failed_ = true;
        return {};
    }

    std::vector<std::string_view> segments_;
    std::size_t at_ = 0;
    bool failed_ = false;
};

bool is_stream_id(std::string_view id) {
    constexpr std::size_t digits = 32;
    return id.size() == digits && std::ranges::all_of(id, is_hex_digit);
}

// A name, an IPv4 address, or the inside of [..].
bool is_host(std::string_view host, bool bracketed) {
    if (!bracketed) return !host.empty() && consists_of_alphanumerics_and(host, "-._");
    return host.find(':') != std::string_view::npos &&
           std::ranges::all_of(host, [](char c) { return is_hex_digit(c) || c == ':' || c == '.'; });
}

}  // namespace

std::string Target::to_string() const {
    return module_id.empty() ? device_id : device_id + "/" + module_id;
}

std::optional<ServicePath> parse_service_path(std::string_view path) {
    PathReader in(path);
    ServicePath parsed;
    in.word("twins");
    parsed.target.device_id = in.id();
    if (in.at_word("modules")) {
        in.word("modules");
        parsed.target.module_id = in.id();
    }
    in.word("streams");
    parsed.name = in.raw();
    return in.done() && is_valid_stream_name(parsed.name) ? std::optional(std::move(parsed)) : std::nullopt;
}

std::string api_version_of(std::string_view request_target) {
    const auto question = request_target.find('?');
    if (question == std::string_view::npos) return {};
    for (const auto part : split(request_target.substr(question + 1), '&')) {
        const auto pair = split_pair(part);
        if (pair && pair->name == "api-version") return std::string(pair->value);
    }
    return {};
}

std::string service_path(const ServicePath& path, std::string_view api_version) {
    auto text = "/twins/" + percent_encode(path.target.device_id);
    if (!path.target.module_id.empty()) text += "/modules/" + percent_encode(path.target.module_id);
    return text + "/streams/" + path.name + "?api-version=" + percent_encode(api_version);
}

std::optional<BridgePath> parse_bridge_path(std::string_view path) {
    PathReader in(path);
    BridgePath parsed;
    in.word("bridges");
    in.word("ih");
    parsed.hub = in.id();
    in.word("d");
    parsed.target.device_id = in.id();
    if (in.at_word("m")) {
        in.word("m");
        parsed.target.module_id = in.id();
    }
    in.word("sid");
    parsed.stream_id = in.raw();
    in.word("r");
    parsed.role = in.raw();
    const bool known_role = parsed.role == "device" || parsed.role == "service";
    return in.done() && known_role && is_stream_id(parsed.stream_id) ? std::optional(std::move(parsed)) : std::nullopt;
}

std::string bridge_path(const BridgePath& path) {
    auto text = "/bridges/ih/" + percent_encode(path.hub) + "/d/" + percent_encode(path.target.device_id);
    if (!path.target.module_id.empty()) text += "/m/" + percent_encode(path.target.module_id);
    return text + "/sid/" + path.stream_id + "/r/" + path.role;
}

std::optional<StreamUrl> parse_stream_url(std::string_view url) {
    constexpr std::string_view scheme = "wss://";
    if (!equal_ignoring_case(url.substr(0, scheme.size()), scheme)) return std::nullopt;
    url.remove_prefix(scheme.size());
    if (!std::ranges::all_of(url, is_visible) || url.find('#') != std::string_view::npos) return std::nullopt;

    const auto end_of_authority = std::min(url.find_first_of("/?"), url.size());
    auto host = url.substr(0, end_of_authority);
    StreamUrl parsed{.host = {}, .target = std::string(url.substr(end_of_authority))};
    if (!parsed.target.starts_with('/')) parsed.target.insert(0, "/");

    const auto colon = host.rfind(':');
    if (colon != std::string_view::npos && !host.ends_with(']')) {
        const auto port = parse_decimal<std::uint16_t>(host.substr(colon + 1));
        if (!port || *port == 0) return std::nullopt;
        parsed.port = *port;
        host = host.substr(0, colon);
    }
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (!is_host(host, bracketed)) return std::nullopt;
    parsed.host = host;
    return parsed;
}

}  // namespace device_streams::iothub
