#include "hub/streams/presence.hpp"

namespace device_streams::hub {

bool Presence::has_room_for(const iothub::Target& target) const {
    if (limits_.linked_devices == 0 || linked_ < limits_.linked_devices) return true;
    const auto identity = identities_.find(target);
    return identity != identities_.end() && identity->second.current;
}

Presence::LinkUp Presence::link_up(const iothub::Target& target, std::optional<Features> announced,
                                   Clock::time_point now, Credential login, LinkClient client) {
    drop_expired(now);
    Identity& identity = identities_[target];
    LinkUp up{++last_link_, identity.current};
    if (up.replaced) {
        Link& old = links_.at(*up.replaced);
        up.renewal = is_renewal(old.client, now - old.since, client);
        if (old.subscribed) identity.grace_until = now + limits_.offline_grace;
        old.subscribed = false;
    }
    if (!identity.current) ++linked_;
    identity.current = up.link;
    links_.emplace(up.link, Link{target, announced, std::move(login), std::move(client), now});
    return up;
}

bool Presence::subscribe(LinkNumber link) {
    const auto found = links_.find(link);
    if (found == links_.end()) return false;
    const auto identity = identities_.find(found->second.target);
    if (identity == identities_.end() || identity->second.current != link) return false;
    found->second.subscribed = true;
    return true;
}

void Presence::unsubscribe(LinkNumber link) {
    if (const auto found = links_.find(link); found != links_.end()) found->second.subscribed = false;
}

void Presence::link_down(LinkNumber link, Clock::time_point now) {
    drop_expired(now);
    const auto found = links_.find(link);
    if (found == links_.end()) return;
    const Link on_lost = std::move(found->second);
    links_.erase(found);
    const auto identity = identities_.find(on_lost.target);
    if (identity == identities_.end() || identity->second.current != link) return;
    identity->second.current.reset();
    --linked_;
    if (on_lost.subscribed) identity->second.grace_until = now + limits_.offline_grace;
    if (identity->second.grace_until > now)
        in_grace_.emplace(identity->second.grace_until, on_lost.target);
    else
        identities_.erase(identity);
}

// Amortised: each entry is added once per link that went down.
void Presence::drop_expired(Clock::time_point now) {
    while (!in_grace_.empty() && in_grace_.begin()->first <= now) {
        const auto identity = identities_.find(in_grace_.begin()->second);
        if (identity != identities_.end() && !identity->second.current && identity->second.grace_until <= now)
            identities_.erase(identity);
        in_grace_.erase(in_grace_.begin());
    }
}

std::vector<LinkNumber> Presence::forget(const Revocation& revoked) {
    std::erase_if(identities_, [&](const auto& entry) {
        const auto& current = entry.second.current;
        const bool covered = revoked.covers(entry.first, current ? links_.at(*current).login : Credential());
        if (covered && current) --linked_;
        return covered;
    });
    std::vector<LinkNumber> dropped;
    for (auto& [number, link] : links_) {
        if (!revoked.covers(link.target, link.login)) continue;
        link.subscribed = false;
        dropped.push_back(number);
    }
    return dropped;
}

const iothub::Target* Presence::target_of(LinkNumber link) const {
    const auto found = links_.find(link);
    return found == links_.end() ? nullptr : &found->second.target;
}

DeviceState Presence::state_of(const iothub::Target& target) const {
    const auto identity = identities_.find(target);
    if (identity == identities_.end()) return {};
    DeviceState state;
    state.grace_until = identity->second.grace_until;
    if (identity->second.current) {
        const Link& link = links_.at(*identity->second.current);
        if (link.subscribed) state.subscribed_link = identity->second.current;
        state.announced = link.announced;
        state.login = link.login;
    }
    return state;
}

std::vector<iothub::Target> Presence::online() const {
    std::vector<iothub::Target> all;
    for (const auto& [target, identity] : identities_)
        if (identity.current) all.push_back(target);
    return all;
}

}  // namespace device_streams::hub
