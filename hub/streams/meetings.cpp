#include "hub/streams/meetings.hpp"

#include <utility>

namespace device_streams::hub {

void Meetings::call(StreamRef stream) {
    const auto stream_id = stream.stream_id;
    open_.emplace(stream_id, Meeting{{std::move(stream), nullptr, nullptr, {}}});
}

std::optional<Meetings::Met> Meetings::arrived(const std::string& stream_id, StreamRole role,
                                               std::unique_ptr<ByteStream> leg) {
    const auto meeting = open_.find(stream_id);
    if (meeting == open_.end()) return std::nullopt;
    auto& met = meeting->second.met;
    (role == StreamRole::device ? met.device : met.service) = std::move(leg);
    return close(meeting, role);
}

std::optional<Meetings::Met> Meetings::on_lost(const std::string& stream_id, StreamRole role) {
    const auto meeting = open_.find(stream_id);
    if (meeting == open_.end()) return std::nullopt;
    return close(meeting, role);
}

std::optional<Meetings::Met> Meetings::close(std::unordered_map<std::string, Meeting>::iterator meeting,
                                             StreamRole role) {
    auto& [device, service] = meeting->second.awaited;
    (role == StreamRole::device ? device : service) = false;
    if (device || service) return std::nullopt;
    std::optional<Met> met(std::move(meeting->second.met));
    open_.erase(meeting);
    return met;
}

void Meetings::revoke(const Revocation& revoked) {
    for (auto& [stream_id, meeting] : open_)
        if (meeting.met.stream.rests_on(revoked)) meeting.met.revoked = revoked.why();
}

}  // namespace device_streams::hub
