#include "common/config/proxy_options.hpp"

#include "common/config/secret_files.hpp"
#include "common/config/shared_options.hpp"

namespace device_streams {

namespace {

constexpr auto url_key = "hub.http_proxy";
constexpr auto credentials_key = "hub.http_proxy_credentials_file";
constexpr auto ca_key = "hub.http_proxy_ca_file";
constexpr auto except_key = "hub.no_proxy";

void complete_credentials(HubSettings& hub, bool proxy_in_file, ParseContext& reading) {
    if (!proxy_in_file)
        return reading.fault(credentials_key, std::string("not used, allowed: together with ") + url_key);
    if (!hub.http_proxy->credentials.empty())
        return reading.fault(credentials_key, std::string("given together with user and password in ") + url_key +
                                                  ", allowed: one of the two");
    auto secret = read_secret_line(credentials_key, hub.http_proxy_credentials_file, "user:password", reading);
    if (!secret) return;
    if (const auto fault = fault_in_credentials(hub.http_proxy->kind, secret->reveal()); !fault.empty())
        return reading.fault(credentials_key, fault + ", allowed: user:password");
    hub.http_proxy->credentials = std::move(*secret);
}

}  // namespace

void complete_proxy(HubSettings& hub, ParseContext& reading) {
    const bool in_file = hub.http_proxy && !reading.given_by_environment(url_key);
    if (in_file && reading.given_by_environment(except_key)) hub.no_proxy = NoProxy();
    if (in_file && !hub.http_proxy->credentials.empty()) warn_if_others_can_read(url_key, reading.source(), reading);
    if (reading.given(credentials_key)) complete_credentials(hub, in_file, reading);
    if (in_file && reading.given(ca_key) && hub.http_proxy->kind != ProxyKind::https)
        reading.fault(ca_key, "not used, allowed: with an https:// proxy");
    require_readable(ca_key, hub.http_proxy_ca_file, reading);
}

}  // namespace device_streams
