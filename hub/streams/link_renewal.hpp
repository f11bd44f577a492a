#pragma once

#include "common/base/clock.hpp"

#include <string>

namespace device_streams::hub {

/// The client behind a link, as far as the hub can tell it from another one.
struct LinkClient {
    std::string instance{};             ///< of the process, if it announced that it renews its links; empty: foreign
    std::string peer{};                 ///< address:port
    Clock::duration credential_life{};  ///< of its token or certificate, at the login
};

/// True when `next` takes the place of `old`, whose login is `age` ago, as the same client does that logs in anew
/// before its token runs out; false when it may be a second machine with the same id. Clients that announce it are
/// known by their instance, from whatever address; foreign ones come from the same address, and when it is time for it:
/// two machines that share an address and fight come sooner. Pure.
bool is_renewal(const LinkClient& old, Clock::duration age, const LinkClient& next);

}  // namespace device_streams::hub
