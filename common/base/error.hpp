#pragma once

#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace device_streams {

/// Every failure a user may meet. Each has a stable DS- code, a summary and a next step in error_table().
enum class Errc {
    // configuration and start
    config_invalid = 101,
    file_unreadable = 102,
    credential_malformed = 103,
    certificate_unusable = 104,
    listen_failed = 105,
    state_unusable = 106,
    usage = 107,
    disk_full = 108,
    log_unwritable = 109,
    // leg to the hub, seen by a proxy
    hub_unreachable = 201,
    hub_name_unknown = 202,
    hub_untrusted = 203,
    hub_tls_failed = 204,
    hub_timeout = 205,
    hub_protocol = 206,
    hub_refused_login = 207,
    hub_busy = 208,
    hub_link_lost = 209,
    hub_refused_stream_leg = 210,
    // a proxy of the network on the way to the hub, or a reverse proxy in front of it
    proxy_unreachable = 211,
    proxy_timeout = 212,
    proxy_tls_failed = 213,
    proxy_unauthorized = 214,
    proxy_refused = 215,
    proxy_found_no_hub = 216,
    proxy_garbage = 217,
    upgrade_removed = 218,
    // the time of the machine that dials
    clock_behind = 219,
    certificate_expired = 220,
    // stream request, seen by the service side
    service_unauthorized = 301,
    device_unknown = 302,
    device_offline = 303,
    device_silent = 304,
    stream_rejected = 305,
    throttled = 306,
    quota_exceeded = 307,
    hub_failed = 308,
    request_refused = 309,
    user_not_allowed = 310,
    // local service, seen by device-proxy
    service_unknown = 401,
    local_refused = 402,
    local_timeout = 403,
    local_unreachable = 404,
    service_not_allowed = 405,
    // a running stream
    leg_reset = 501,
    leg_lost = 502,
    hub_stopping = 503,
    protocol_violation = 504,
    cancelled = 505,
    time_limit = 506,
    ended_by_policy = 507,
    mtu_black_hole = 508,
    // hub
    credential_refused = 601,
    peer_garbage = 602,
    peer_oversize = 603,
    peer_slow = 604,
    peer_tls_failed = 605,
    identity_taken_over = 606,
    handshake_expired = 607,
    hub_not_running = 608,
    already_exists = 609,
    not_found = 610,
    stream_not_allowed = 611,
    hub_full = 612,
    transport_not_served = 613,
    provisioning_not_served = 614,
    resource_log_unwritable = 621,
    // any program
    internal = 901,
    out_of_descriptors = 902,
};

struct ErrorInfo {
    Errc code;
    std::string_view id;       ///< DS-101 ...: stable, for documents and searching
    std::string_view summary;  ///< what happened, one clause
    std::string_view advice;   ///< what to do next, one sentence
};

/// All rows in code order; documents are generated from it.
std::span<const ErrorInfo> error_table();
const ErrorInfo& describe(Errc code);

const std::error_category& error_category();
std::error_code make_error_code(Errc code);

/// A failure with a DS- code and the detail that only the place of the failure knows (never a secret).
class Failure : public std::system_error {
 public:
    Failure(Errc code, std::string detail);
    Errc errc() const { return static_cast<Errc>(code().value()); }
    const std::string& detail() const { return detail_; }

 private:
    std::string detail_;
};

/// "DS-303 device is offline: pump-17 did not connect within 15 s. Next: ..." for a Failure; the plain text of any
/// other exception.
std::string explain(const std::exception_ptr& failure);
std::string explain(const Failure& failure);
/// True when the failure is a coroutine's cancellation and not a fault.
bool is_cancellation(const std::exception_ptr& failure);

}  // namespace device_streams

template <>
struct std::is_error_code_enum<device_streams::Errc> : std::true_type {};
