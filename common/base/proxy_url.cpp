#include "common/base/proxy_url.hpp"

#include "common/text/ascii.hpp"
#include "common/text/percent.hpp"

#include <algorithm>
#include <stdexcept>

namespace device_streams {

namespace {

std::string decoded(std::string_view text) {
    auto plain = percent_decode(text);
    if (!plain) throw std::invalid_argument("a % in user or password is not followed by two hexadecimal digits");
    return std::move(*plain);
}

Secret parse_credentials(std::string_view user_info) {
    const auto colon = user_info.find(':');
    if (colon == std::string_view::npos) throw std::invalid_argument("there is a user without a password");
    const auto user = decoded(user_info.substr(0, colon));
    if (user.find(':') != std::string::npos) throw std::invalid_argument("the user name has a colon in it");
    Secret credentials(user + ":" + decoded(user_info.substr(colon + 1)));
    if (const auto fault = fault_in_credentials(credentials.reveal()); !fault.empty())
        throw std::invalid_argument(fault);
    return credentials;
}

// Takes the scheme from the front.
bool take_scheme(std::string_view& text) {
    const auto end = text.find("://");
    if (end == std::string_view::npos) return false;
    const auto scheme = text.substr(0, end);
    const bool tls = equal_ignoring_case(scheme, "https");
    if (!tls && !equal_ignoring_case(scheme, "http"))
        throw std::invalid_argument("the proxy's scheme is not http or https");
    text.remove_prefix(end + 3);
    return tls;
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
    return (tls ? "https://" : "http://") + endpoint.to_string();
}

ProxyUrl parse_proxy_url(std::string_view text) {
    ProxyUrl url;
    url.tls = take_scheme(text);
    if (text.ends_with('/')) text.remove_suffix(1);
    // The last one: many write their password as it is.
    const auto at = text.rfind('@');
    if (at != std::string_view::npos) url.credentials = parse_credentials(text.substr(0, at));
    const auto host = at == std::string_view::npos ? text : text.substr(at + 1);
    url.endpoint = parse_host(host, url.tls ? 443 : 80);
    return url;
}

std::string fault_in_credentials(std::string_view credentials) {
    const auto colon = credentials.find(':');
    if (colon == std::string_view::npos) return "there is no colon between user and password";
    if (colon == 0) return "there is no user in front of the colon";
    const bool control = std::ranges::any_of(credentials, is_control_character);
    return control ? "there is a control character in user or password" : "";
}

}  // namespace device_streams
