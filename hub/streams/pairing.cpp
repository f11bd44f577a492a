#include "hub/streams/pairing.hpp"

#include <algorithm>
#include <utility>

namespace device_streams::hub {

namespace {

using iothub::RestError;

constexpr std::chrono::seconds retry_when_crowded{5};

Features negotiate(const Features& ours, const Features& near, const Features& far) {
    Features leg = common_features(ours, near);
    leg.half_close = leg.half_close && far.half_close;  // of the stream; the others are of the leg
    return leg;
}

RestError unknown(const iothub::Target& target) {
    return target.module_id.empty() ? RestError::device_not_found : RestError::module_not_found;
}

}  // namespace

Pairing::Pairing(PairingLimits limits, std::function<std::string()> make_stream_id)
    : limits_(limits), make_stream_id_(std::move(make_stream_id)) {
}

PairingActions Pairing::open(RequestNumber number, OpenRequest open_request, const DeviceState& device,
                             Clock::time_point now) {
    if (!has_room_for(open_request))
        return {Reply{number, Refused{RestError::throttled, "too many streams are being opened", retry_when_crowded}}};
    Request request;
    request.deadline = now + limits_.handshake_timeout;
    const auto zero = Clock::duration::zero();
    const auto connect = std::clamp(open_request.connect_timeout.value_or(zero), zero, limits_.handshake_timeout);
    request.response_timeout =
        std::clamp(open_request.response_timeout.value_or(limits_.response_default), zero, limits_.handshake_timeout);
    const auto wait_until = std::min(std::max(now + connect, device.grace_until), request.deadline);
    if (!device.subscribed_link && wait_until <= now)
        return {Reply{number, Refused{RestError::device_not_online, "the device is not online"}}};

    request.open_request = std::move(open_request);
    Request& kept = requests_.emplace(number, std::move(request)).first->second;
    auto& siblings = by_target_[kept.open_request.target];
    siblings.numbers.insert(number);
    ++of_policy_[kept.open_request.grant.policy];
    if (device.subscribed_link)
        return {deliver(number, kept, *device.subscribed_link, device.announced, device.login, now)};
    siblings.some_wait = true;
    set_expiry(number, kept, wait_until);
    return {};
}

bool Pairing::has_room_for(const OpenRequest& open_request) const {
    if (requests_.size() >= limits_.pending) return false;
    const auto of_device = by_target_.find(open_request.target);
    if (of_device != by_target_.end() && of_device->second.numbers.size() >= limits_.pending_per_device) return false;
    const auto of_policy = of_policy_.find(open_request.grant.policy);
    return of_policy == of_policy_.end() || of_policy->second < limits_.pending_per_policy;
}

Deliver Pairing::deliver(RequestNumber number, Request& request, LinkNumber link, std::optional<Features> announced,
                         const Credential& login, Clock::time_point now) {
    // The time for the answer runs from the first delivery; a later one must not make the service wait longer.
    if (request.phase == Phase::waiting_for_device)
        set_expiry(number, request, std::min(now + request.response_timeout, request.deadline));
    else
        void_ids(request);
    const Features device = announced.value_or(Features{});
    const Features service = request.open_request.announced.value_or(Features{});
    request.phase = Phase::delivered;
    request.link = link;
    request.login = login;
    request.request_id = std::to_string(++last_request_id_);
    request.stream_id = make_stream_id_();
    request.device_features = negotiate(device_hop_features, device, service);
    request.service_features = negotiate(own_features, service, device);
    by_request_id_[request.request_id] = number;
    by_stream_id_[request.stream_id] = number;
    DeviceRequest out{request.request_id, request.open_request.name, request.stream_id, request.deadline};
    if (announced) out.features = request.device_features;
    if (announced && request.device_features.policy) out.policy = request.open_request.grant.policy;
    return {link, std::move(out)};
}

PairingActions Pairing::cancel(RequestNumber number) {
    PairingActions actions;
    const auto found = requests_.find(number);
    if (found == requests_.end() || found->second.leg(StreamRole::service) != Leg::none) return actions;
    fail(found, {RestError::server_error, "the service went away before its leg came"}, CloseReason::lost, actions);
    std::erase_if(actions, [](const PairingAction& action) { return std::holds_alternative<Reply>(action); });
    return actions;
}

PairingActions Pairing::device_subscribed(const iothub::Target& target, LinkNumber link,
                                          std::optional<Features> announced, Clock::time_point now,
                                          const Credential& login) {
    PairingActions actions;
    const auto waiting = by_target_.find(target);
    if (waiting == by_target_.end()) return actions;
    auto& [numbers, link_asked, some_wait] = waiting->second;
    if (link_asked == link && !some_wait) return actions;
    link_asked = link;
    some_wait = false;
    for (const RequestNumber number : numbers) {
        Request& request = requests_.at(number);
        const bool elsewhere = request.phase == Phase::delivered && request.link != link && !request.has_leg();
        if (request.phase == Phase::waiting_for_device || elsewhere)
            actions.push_back(deliver(number, request, link, announced, login, now));
    }
    return actions;
}

PairingActions Pairing::answered(const iothub::Target& target, const iothub::StreamAnswer& answer) {
    PairingActions actions;
    const auto known = by_request_id_.find(answer.request_id);
    if (known == by_request_id_.end()) return actions;
    const auto found = requests_.find(known->second);
    Request& request = found->second;
    if (request.open_request.target != target) return actions;
    const RequestNumber number = found->first;

    if (!answer.accepted()) {
        fail(found, {}, CloseReason::lost, actions);
        std::get<Reply>(actions.front()).result = Rejected{answer.reason};
    } else if (request.leg(StreamRole::device) == Leg::left) {
        fail(found, {RestError::gateway_timeout, "the device accepted, but its WebSocket had gone"}, CloseReason::lost,
             actions);
    } else {
        by_request_id_.erase(known);
        request.phase = Phase::accepted;
        set_expiry(number, request, request.deadline);
        Granted granted{number, request.stream_id, request.deadline, {}};
        if (request.open_request.announced) granted.features = request.service_features;
        actions.push_back(Reply{number, std::move(granted)});
    }
    return actions;
}

Admission Pairing::admit(const std::string& stream_id, StreamRole role, const iothub::Target& target) {
    const auto found = by_stream(stream_id);
    if (found == requests_.end() || found->second.open_request.target != target) return {};
    Leg& leg = found->second.leg(role);
    if (leg != Leg::none) return {Admission::Verdict::role_taken};
    leg = Leg::here;
    const Request& request = found->second;
    return {Admission::Verdict::admitted, request.open_request.name,
            role == StreamRole::device ? request.device_features : request.service_features};
}

PairingActions Pairing::join(const std::string& stream_id) {
    const auto found = by_stream(stream_id);
    if (found == requests_.end()) return {};
    const Request& request = found->second;
    if (request.phase != Phase::accepted || request.legs[0] != Leg::here || request.legs[1] != Leg::here) return {};
    PairingActions actions{Join{request.stream()}};
    erase(found);
    return actions;
}

PairingActions Pairing::leg_left(const std::string& stream_id, StreamRole role) {
    PairingActions actions;
    const auto found = by_stream(stream_id);
    if (found == requests_.end()) return actions;
    found->second.leg(role) = Leg::left;
    // Before the answer the device may still reject, which is the better news for the service.
    if (found->second.phase == Phase::accepted) {
        const std::string who(iothub::to_string(role));
        fail(found, {RestError::gateway_timeout, "the leg of the " + who + " left before the other came"},
             CloseReason::lost, actions);
    }
    return actions;
}

PairingActions Pairing::expire(Clock::time_point now) {
    PairingActions actions;
    while (!expiries_.empty() && expiries_.begin()->first <= now) {
        const auto found = requests_.find(expiries_.begin()->second);
        Refused why{RestError::gateway_timeout, "the device did not answer in time"};
        if (found->second.phase == Phase::waiting_for_device)
            why = {RestError::device_not_online, "the device was not online in time"};
        else if (found->second.phase == Phase::accepted)
            why.text =
                found->second.has_leg() ? "one leg was missing at the deadline" : "no leg came before the deadline";
        fail(found, why, CloseReason::lost, actions);
    }
    return actions;
}

PairingActions Pairing::forget(const Revocation& revoked) {
    PairingActions actions;
    std::vector<RequestNumber> on_lost;
    for (const auto& [target, siblings] : by_target_)
        for (const RequestNumber number : siblings.numbers)
            if (requests_.at(number).rests_on(revoked)) on_lost.push_back(number);
    for (const RequestNumber number : on_lost) {
        const auto found = requests_.find(number);
        const auto& open_request = found->second.open_request;
        const auto error = revoked.covers(open_request.target, open_request.grant) ? RestError::unauthorized
                           : revoked.of_identity()                                 ? unknown(open_request.target)
                                                                                   : RestError::device_not_online;
        fail(found, {error, std::string(revoked.why())}, CloseReason::refused, actions);
    }
    return actions;
}

PairingActions Pairing::stop() {
    PairingActions actions;
    while (!requests_.empty())
        fail(requests_.begin(), {RestError::server_error, "the hub is stopping"}, CloseReason::stopping, actions);
    return actions;
}

std::optional<Clock::time_point> Pairing::next_deadline() const {
    if (expiries_.empty()) return std::nullopt;
    return expiries_.begin()->first;
}

void Pairing::set_expiry(RequestNumber number, Request& request, Clock::time_point when) {
    expiries_.erase({request.expires, number});
    request.expires = when;
    expiries_.emplace(when, number);
}

void Pairing::fail(Requests::iterator where, const Refused& why, CloseReason for_legs, PairingActions& actions) {
    Request& request = where->second;
    if (request.phase == Phase::accepted)
        actions.push_back(Abandon{request.stream(), why.text, for_legs});
    else
        actions.push_back(Reply{where->first, why});
    for (const auto role : {StreamRole::device, StreamRole::service}) {
        const Leg leg = request.leg(role);
        if (leg == Leg::here) actions.push_back(EndLeg{request.stream_id, role, for_legs});
    }
    erase(where);
}

void Pairing::void_ids(const Request& request) {
    by_request_id_.erase(request.request_id);
    by_stream_id_.erase(request.stream_id);
}

void Pairing::erase(Requests::iterator where) {
    const Request& request = where->second;
    void_ids(request);
    expiries_.erase({request.expires, where->first});
    const auto siblings = by_target_.find(request.open_request.target);
    siblings->second.numbers.erase(where->first);
    if (siblings->second.numbers.empty()) by_target_.erase(siblings);
    const auto of_policy = of_policy_.find(request.open_request.grant.policy);
    if (--of_policy->second == 0) of_policy_.erase(of_policy);
    requests_.erase(where);
}

Pairing::Requests::iterator Pairing::by_stream(const std::string& stream_id) {
    const auto known = by_stream_id_.find(stream_id);
    return known == by_stream_id_.end() ? requests_.end() : requests_.find(known->second);
}

}  // namespace device_streams::hub
