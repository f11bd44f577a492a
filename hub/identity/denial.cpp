#include "hub/identity/denial.hpp"

namespace device_streams::hub {

std::string_view to_string(Denial::Reason reason) {
    using Reason = Denial::Reason;
    switch (reason) {
        case Reason::malformed:
            return "no token, or not a shared access signature";
        case Reason::unknown_identity:
            return "no such device or module";
        case Reason::unknown_policy:
            return "the token names no policy of this hub";
        case Reason::disabled:
            return "the device or module is disabled";
        case Reason::no_permission:
            return "the policy does not permit this";
        case Reason::wrong_scope:
            return "the token is for another hub or identity";
        case Reason::wrong_key:
            return "the token is not signed with a current key";
        case Reason::expired:
            return "the token has expired";
        case Reason::wants_token:
            return "the identity logs in with a token, and there was none";
        case Reason::wants_certificate:
            return "the identity logs in with a certificate";
        case Reason::bad_certificate:
            return "the certificate is malformed or not valid yet";
        case Reason::weak_certificate:
            return "the certificate is too weak";
        case Reason::unknown_certificate:
            return "the certificate's thumbprint is not registered";
        case Reason::unknown_authority:
            return "the certificate comes from no CA of device_ca";
        case Reason::wrong_name:
            return "the certificate's common name is another one";
        case Reason::expired_certificate:
            return "the certificate has expired";
    }
    return "denied";
}

std::string to_string(const Denial& denial) {
    auto why = std::string(to_string(denial.reason)) + (denial.detail.empty() ? "" : " (" + denial.detail + ")");
    if (denial.seconds_late == 0) return why;
    return why + " " + std::to_string(denial.seconds_late) +
           " s ago by this hub's clock; one of the two clocks may be wrong";
}

}  // namespace device_streams::hub
