#include "common/base/exit_code.hpp"

namespace device_streams {

ExitCode exit_code_for(Errc code) {
    switch (code) {
        case Errc::usage:
            return exit_usage;
        case Errc::already_exists:
        case Errc::not_found:
            return exit_data;
        case Errc::hub_name_unknown:
        case Errc::device_unknown:
            return exit_unknown;
        case Errc::config_invalid:
        case Errc::file_unreadable:
        case Errc::credential_malformed:
        case Errc::certificate_unusable:
            return exit_config;
        case Errc::hub_unreachable:
        case Errc::hub_timeout:
        case Errc::hub_link_lost:
        case Errc::mtu_black_hole:
        case Errc::hub_not_running:
        case Errc::proxy_unreachable:
        case Errc::proxy_timeout:
        case Errc::proxy_found_no_hub:
        case Errc::device_offline:
        case Errc::device_silent:
        case Errc::stream_rejected:
        case Errc::service_unknown:
        case Errc::local_refused:
        case Errc::local_timeout:
        case Errc::local_unreachable:
            return exit_unavailable;
        case Errc::hub_untrusted:
        case Errc::certificate_expired:
        case Errc::hub_refused_login:
        case Errc::hub_refused_stream_leg:
        case Errc::proxy_unauthorized:
        case Errc::proxy_refused:
        case Errc::service_unauthorized:
        case Errc::user_not_allowed:
        case Errc::service_not_allowed:
        case Errc::ended_by_policy:
        case Errc::credential_refused:
        case Errc::stream_not_allowed:
            return exit_refused;
        case Errc::hub_tls_failed:
        case Errc::hub_protocol:
        case Errc::proxy_tls_failed:
        case Errc::proxy_garbage:
        case Errc::upgrade_removed:
        case Errc::request_refused:
        case Errc::protocol_violation:
        case Errc::peer_garbage:
        case Errc::peer_oversize:
        case Errc::peer_tls_failed:
        case Errc::transport_not_served:
        case Errc::provisioning_not_served:
            return exit_protocol;
        case Errc::hub_busy:
        case Errc::clock_behind:
        case Errc::throttled:
        case Errc::quota_exceeded:
        case Errc::hub_stopping:
        case Errc::hub_full:
            return exit_later;
        case Errc::state_unusable:
        case Errc::disk_full:
        case Errc::log_unwritable:
        case Errc::resource_log_unwritable:
        case Errc::leg_reset:
        case Errc::leg_lost:
        case Errc::cancelled:
        case Errc::time_limit:
        case Errc::peer_slow:
        case Errc::identity_taken_over:
        case Errc::handshake_expired:
            return exit_cut;
        case Errc::listen_failed:
        case Errc::out_of_descriptors:
            return exit_system;
        case Errc::hub_failed:
        case Errc::internal:
            return exit_internal;
    }
    return exit_failure;
}

}  // namespace device_streams
