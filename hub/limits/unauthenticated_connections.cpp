#include "hub/limits/unauthenticated_connections.hpp"

#include "hub/limits/source_address.hpp"

#include <atomic>
#include <vector>

namespace device_streams::hub {

namespace {

// A source with a larger share of a crowd than this is the crowd; below it, age alone decides. A site of some hundred
// devices that return at once is below it.
constexpr std::size_t dominant_share = 16;
constexpr int hurry = 4;  // of its members; others, who may be far away, are hurried half as much

}  // namespace

/// One that has not logged in.
class UnauthenticatedConnections::Visitor : public std::enable_shared_from_this<Visitor> {
 public:
    struct Place {
        Source* source;
        std::list<Visitor*>::iterator where;
    };
    std::string peer;
    SendAway send_away;
    std::vector<Place> places;  // from the widest source to the narrowest; none: of a trusted proxy, or sent away
    std::atomic<bool> has_slot = true;
    bool counted = true;
};

// The narrowest source of `visitor` that has no room for one more.
UnauthenticatedConnections::Source* UnauthenticatedConnections::first_full(const Visitor& visitor,
                                                                           const ConnectionLimits& limits) {
    for (auto place = visitor.places.rbegin(); place != visitor.places.rend(); ++place)
        if (place->source != &everybody_ && place->source->size > place->source->most) return place->source;
    return in_all_ > limits.connections_without_login ? &everybody_ : nullptr;
}

UnauthenticatedConnections::Entered UnauthenticatedConnections::enter(std::string_view peer,
                                                                      const ConnectionLimits& limits,
                                                                      SendAway send_away) {
    auto visitor = std::make_shared<Visitor>();
    visitor->peer = peer;
    visitor->send_away = std::move(send_away);
    std::vector<std::string> sources;
    const bool speaks_for_others = covers(limits.trusted_proxies, peer);
    if (!speaks_for_others) sources = sources_of(peer);

    const std::lock_guard lock(mutex_);
    everybody_.most = limits.connections_without_login;
    ++in_all_;
    if (!speaks_for_others) add(visitor, everybody_);
    auto* source = &everybody_;
    auto most = limits.connections_per_address << (sources.empty() ? 0 : sources.size() - 1);
    for (auto& name : sources) {
        auto& part = source->parts[name];
        if (!part) part = std::make_unique<Source>(Source{.name = std::move(name), .parent = source, .by_age = {}});
        source = part.get();
        source->most = most;
        most /= 2;
        add(visitor, *source);
    }
    Entered entered;
    if (!visitor->send_away && ++fixed_ * 2 > limits.connections_without_login) {
        forget(*visitor);
        return entered;
    }
    while (auto* const crowd = first_full(*visitor, limits)) {
        auto gone = send_away_one_of(*crowd, *visitor);
        if (gone.empty()) {
            forget(*visitor);
            return entered;
        }
        entered.sent_away = std::move(gone);
    }
    entered.slot = Slot(*this, std::move(visitor));
    return entered;
}

void UnauthenticatedConnections::add(const std::shared_ptr<Visitor>& visitor, Source& source) {
    if (source.parent != nullptr) {
        source.parent->parts_by_size.erase({source.size, &source});
        source.parent->parts_by_size.emplace(source.size + 1, &source);
    }
    ++source.size;
    auto& list = source.by_age;
    const auto where = visitor->send_away ? list.insert(list.end(), visitor.get()) : list.end();
    visitor->places.push_back({&source, where});
}

// nullptr: there is nobody but the newcomer.
UnauthenticatedConnections::Visitor* UnauthenticatedConnections::oldest_of(const Source& source,
                                                                           const Visitor& newcomer) {
    if (source.by_age.empty() || source.by_age.front() == &newcomer) return nullptr;
    return source.by_age.front();
}

// Empty: there is nobody but the newcomer.
std::string UnauthenticatedConnections::send_away_one_of(const Source& crowd, const Visitor& newcomer) {
    const auto* from = &crowd;
    while (!from->parts_by_size.empty()) {
        const auto& [size, largest] = *from->parts_by_size.rbegin();
        if (size < 2 || size * dominant_share < from->size) break;
        from = largest;
    }
    for (;; from = from->parent) {
        if (auto* const oldest = oldest_of(*from, newcomer)) {
            forget(*oldest);
            oldest->send_away([visitor = oldest->shared_from_this()] { return visitor->has_slot.load(); });
            return oldest->peer;
        }
        if (from == &crowd) return {};
    }
}

void UnauthenticatedConnections::forget(Visitor& visitor) {
    if (!std::exchange(visitor.counted, false)) return;
    --in_all_;
    if (!visitor.send_away) --fixed_;
    for (auto place = visitor.places.rbegin(); place != visitor.places.rend(); ++place) {
        auto& source = *place->source;
        if (visitor.send_away) source.by_age.erase(place->where);
        --source.size;
        if (source.parent == nullptr) continue;
        source.parent->parts_by_size.erase({source.size + 1, &source});
        if (source.size == 0)
            source.parent->parts.erase(std::string(source.name));
        else
            source.parent->parts_by_size.emplace(source.size, &source);
    }
    visitor.places.clear();
}

void UnauthenticatedConnections::advance(Visitor& visitor) {
    if (!visitor.send_away) return;
    const std::lock_guard lock(mutex_);
    for (const auto& place : visitor.places) {
        auto& list = place.source->by_age;
        list.splice(list.end(), list, place.where);
    }
}

void UnauthenticatedConnections::leave(Visitor& visitor) {
    visitor.has_slot = false;
    const std::lock_guard lock(mutex_);
    forget(visitor);
}

Clock::duration UnauthenticatedConnections::patience(const Visitor& visitor, Clock::duration usual) {
    const std::lock_guard lock(mutex_);
    for (const auto& place : visitor.places)
        if (place.source != &everybody_ && place.source->size * 2 > place.source->most) return usual / hurry;
    return in_all_ * 2 > everybody_.most ? usual / 2 : usual;
}

}  // namespace device_streams::hub
