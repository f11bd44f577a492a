#pragma once

#include "common/iothub/stream_request.hpp"
#include "hub/authentication.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace device_streams::hub {

/// Logins that count no longer. Their links, requests and streams end at once.
struct Revocation {
    /// The identity (a device with its modules) was removed or disabled.
    Revocation(iothub::Target gone) : target(std::move(gone)) {}
    /// The identity itself admits no more than this now.
    Revocation(iothub::Target changed, Authentication now) : target(std::move(changed)), remaining(std::move(now)) {}
    /// Of all identities only those certificates count whose CA is one of these.
    explicit Revocation(std::vector<std::string> authorities) : trusted(std::move(authorities)) {}

    bool covers(const iothub::Target& identity, const Credential& login) const;
    /// One clause for the log.
    std::string_view why() const;
    /// The identity as such is gone, rather than one of its credentials.
    bool of_identity() const { return target && !remaining; }

    std::optional<iothub::Target> target;
    std::optional<Authentication> remaining;
    std::vector<std::string> trusted;
};

/// True when `target` is `removed` or one of its modules.
bool belongs_to(const iothub::Target& target, const iothub::Target& removed);

}  // namespace device_streams::hub
