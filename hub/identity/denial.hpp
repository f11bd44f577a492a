#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace device_streams::hub {

/// Why a credential is denied: for the hub's own log. Peers hear one and the same answer for all of these, so that
/// nobody can find out which devices exist.
struct Denial {
    enum class Reason {
        malformed,         ///< missing, or not a SAS token
        unknown_identity,  ///< no such device or module
        unknown_policy,    ///< the token names no policy, or one that does not exist
        disabled,
        no_permission,  ///< the policy does not allow this
        wrong_scope,    ///< signed for another hub or identity
        wrong_key,
        expired,
        wants_token,          ///< the identity has keys, and there was no token
        wants_certificate,    ///< the identity has a certificate, and there was a token or nothing
        bad_certificate,      ///< malformed, or not yet valid
        weak_certificate,     ///< its key or its signature could be forged
        unknown_certificate,  ///< another thumbprint than the registered ones
        unknown_authority,    ///< no chain to a CA that is trusted with devices
        wrong_name,           ///< the common name is not the identity
        expired_certificate,
    };
    Reason reason;
    std::string detail{};           ///< may be empty
    std::int64_t seconds_late = 0;  ///< how long ago the credential has ended, when it is denied for that
};
/// "the token has expired" and the like; fit for a log line.
std::string_view to_string(Denial::Reason reason);
/// The same with the detail, and how late what has expired is: the clocks may differ.
std::string to_string(const Denial& denial);

}  // namespace device_streams::hub
