#include "common/service_client/service_token.hpp"

#include "common/iothub/sas_token.hpp"

namespace device_streams::service {

Secret ServiceToken::current(const Clock& clock) {
    if (!credential_.token.empty()) return credential_.token;
    const auto now = clock.unix_seconds();
    const std::lock_guard lock(mutex_);
    // A wall clock that went back counts as renewal time too: the old token may be from a wrong future.
    const bool fresh = !token_.empty() && now >= made_ && now < made_ + lifetime_.count() * 4 / 5;
    if (!fresh) {
        token_ =
            iothub::make_sas_token(credential_.host_name, credential_.key, now + lifetime_.count(), credential_.policy);
        made_ = now;
    }
    return token_;
}

void ServiceToken::forget() {
    const std::lock_guard lock(mutex_);
    token_ = Secret();
}

}  // namespace device_streams::service
