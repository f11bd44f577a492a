#include "hub/streams/link_renewal.hpp"

#include "hub/limits/source_address.hpp"

namespace device_streams::hub {

namespace {

// The SDKs log in anew at 75 to 85 % of their token's life; their clocks may be some minutes ahead of the hub's.
bool is_time_to_renew(const LinkClient& client, Clock::duration age) {
    return client.credential_life > Clock::duration::zero() && age >= client.credential_life / 10 * 7;
}

}  // namespace

bool is_renewal(const LinkClient& old, Clock::duration age, const LinkClient& next) {
    const bool foreign = old.instance.empty() && next.instance.empty();
    if (!foreign) return old.instance == next.instance;
    return source_of(old.peer) == source_of(next.peer) && is_time_to_renew(old, age);
}

}  // namespace device_streams::hub
