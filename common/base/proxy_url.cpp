#include "common/base/proxy_url.hpp"

#include "common/text/ascii.hpp"
#include "common/text/percent.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace device_streams {

namespace {

std::string decoded(std::string_view text) {
    auto plain = percent_decode(text);
    if (!plain) throw std::invalid_argument("a % in user or password is not followed by two hexadecimal digits");
    return std::move(*plain);
}

Secret parse_credentials(ProxyKind kind, std::string_view user_info) {
    const auto colon = user_info.find(':');
    if (colon == std::string_view::npos) throw std::invalid_argument("there is a user without a password");
    const auto user = decoded(user_info.substr(0, colon));
    if (user.find(':') != std::string::npos) throw std::invalid_argument("the user name has a colon in it");
    Secret credentials(user + ":" + decoded(user_info.substr(colon + 1)));
    if (const auto fault = fault_in_credentials(kind, credentials.reveal()); !fault.empty())
        throw std::invalid_argument(fault);
    return credentials;
}

struct Scheme {
    std::string_view name;
    ProxyKind kind;
    std::uint16_t port;
};
// The first of a kind is what it prints as. Desktops put socks:// into the environment.
constexpr std::array schemes{Scheme{"http", ProxyKind::http, 80}, Scheme{"https", ProxyKind::https, 443},
                             Scheme{"socks5h", ProxyKind::socks5, 1080}, Scheme{"socks5", ProxyKind::socks5, 1080},
                             Scheme{"socks", ProxyKind::socks5, 1080}};

// Takes the scheme from the front.
Scheme take_scheme(std::string_view& text) {
    const auto end = text.find("://");
    if (end == std::string_view::npos) return schemes.front();
    const auto* const known = std::ranges::find_if(
        schemes, [&](const Scheme& scheme) { return equal_ignoring_case(text.substr(0, end), scheme.name); });
    if (known == schemes.end()) throw std::invalid_argument("the proxy's scheme is not http, https or socks5h");
    text.remove_prefix(end + 3);
    return *known;
}

Endpoint parse_host(std::string_view text, std::uint16_t default_port) {
    const bool has_port = text.find(':', text.starts_with('[') ? text.find(']') : 0) != std::string_view::npos;
    auto endpoint = parse_endpoint(std::string(text) + (has_port ? "" : ":" + std::to_string(default_port)));
    const bool odd =
        !endpoint || endpoint->is_unix() || endpoint->port == 0 || !std::ranges::all_of(endpoint->host, is_visible);
    if (odd) throw std::invalid_argument("the proxy's host and port are malformed");
    return std::move(*endpoint);
}

}  // namespace

std::string ProxyUrl::to_string() const {
    const auto* const scheme = std::ranges::find(schemes, kind, &Scheme::kind);
    return std::string(scheme->name) + "://" + endpoint.to_string();
}

ProxyUrl parse_proxy_url(std::string_view text) {
    ProxyUrl url;
    const auto scheme = take_scheme(text);
    url.kind = scheme.kind;
    if (text.ends_with('/')) text.remove_suffix(1);
    // The last one: many write their password as it is.
    const auto at = text.rfind('@');
    if (at != std::string_view::npos) url.credentials = parse_credentials(url.kind, text.substr(0, at));
    const auto host = at == std::string_view::npos ? text : text.substr(at + 1);
    url.endpoint = parse_host(host, scheme.port);
    return url;
}

std::string fault_in_credentials(ProxyKind kind, std::string_view credentials) {
    const auto colon = credentials.find(':');
    if (colon == std::string_view::npos) return "there is no colon between user and password";
    if (colon == 0) return "there is no user in front of the colon";
    const bool control = std::ranges::any_of(credentials, is_control_character);
    if (control) return "there is a control character in user or password";
    if (kind != ProxyKind::socks5) return "";
    constexpr std::size_t longest = 255;
    const auto password = credentials.size() - colon - 1;
    if (colon > longest || password > longest) return "SOCKS takes no more than 255 bytes of user and of password";
    return password == 0 ? "SOCKS takes no empty password" : "";
}

}  // namespace device_streams
