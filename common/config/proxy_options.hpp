#pragma once

#include "common/config/options.hpp"
#include "common/config/settings.hpp"

/// The proxy on the way to the hub.
namespace device_streams {

/// What its rows have to do with each other: reads the file with the credentials into the URL, and lets the environment
/// say nothing about a proxy that the file names.
void complete_proxy(HubSettings& hub, ParseContext& reading);

/// `hub.http_proxy` and what belongs to it, for a Config with a member HubSettings hub.
template <typename Config>
void add_proxy_options(OptionTable<Config>& table) {
    table.add(
        {.key = "hub.http_proxy",
         .help = "Proxy that every connection to the hub goes through, and that resolves the hub's name: an HTTP proxy "
                 "(CONNECT), which with https:// is itself spoken to by TLS, or with socks5h:// a SOCKS 5 proxy. The "
                 "port is 80, 443 or 1080 unless given.",
         .environment = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"},
         .example = "http://proxy.example.com:3128",
         .optional_example = true},
        proxy_url(), member(&Config::hub, &HubSettings::http_proxy));
    table.add(
        {.key = "hub.http_proxy_credentials_file",
         .help = "File that holds user:password for the proxy (Basic authentication, or RFC 1929 for SOCKS) as they "
                 "are, in one line and readable for this program only.",
         .example = "proxy.credentials",
         .optional_example = true,
         .names_file = true},
        path(), member(&Config::hub, &HubSettings::http_proxy_credentials_file));
    table.add({.key = "hub.http_proxy_ca_file",
               .help = "PEM file with the certificate authority of an https proxy, instead of the system's.",
               .example = "proxy-ca.pem",
               .optional_example = true,
               .names_file = true},
              path(), member(&Config::hub, &HubSettings::http_proxy_ca_file));
    table.add(
        {.key = "hub.no_proxy",
         .help = "Hosts that are reached without the proxy: names (and all names below them), addresses, CIDR blocks, "
                 "or * for all. Where the file names the proxy, the environment does not count here.",
         .environment = {"no_proxy", "NO_PROXY"},
         .example = "example.com, 10.0.0.0/8",
         .optional_example = true},
        no_proxy_list(), member(&Config::hub, &HubSettings::no_proxy));
    table.rule({"hub.http_proxy", "hub.http_proxy_credentials_file", "hub.http_proxy_ca_file", "hub.no_proxy"},
               [](Config& config, ParseContext& reading) { complete_proxy(config.hub, reading); });
}

}  // namespace device_streams
