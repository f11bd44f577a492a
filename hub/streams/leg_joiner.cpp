#include "hub/streams/leg_joiner.hpp"

#include <utility>

namespace device_streams::hub {

void LegJoiner::expect_legs(StreamRef stream) {
    const auto stream_id = stream.stream_id;
    open_.emplace(stream_id, Meeting{{std::move(stream), nullptr, nullptr, {}}});
}

std::optional<LegJoiner::Joined> LegJoiner::arrived(const std::string& stream_id, StreamRole role,
                                                    std::unique_ptr<ByteStream> leg) {
    const auto meeting = open_.find(stream_id);
    if (meeting == open_.end()) return std::nullopt;
    auto& joined = meeting->second.joined;
    (role == StreamRole::device ? joined.device : joined.service) = std::move(leg);
    return close(meeting, role);
}

std::optional<LegJoiner::Joined> LegJoiner::leg_lost(const std::string& stream_id, StreamRole role) {
    const auto meeting = open_.find(stream_id);
    if (meeting == open_.end()) return std::nullopt;
    return close(meeting, role);
}

std::optional<LegJoiner::Joined> LegJoiner::close(std::unordered_map<std::string, Meeting>::iterator meeting,
                                                  StreamRole role) {
    auto& [device, service] = meeting->second.awaited;
    (role == StreamRole::device ? device : service) = false;
    if (device || service) return std::nullopt;
    std::optional<Joined> joined(std::move(meeting->second.joined));
    open_.erase(meeting);
    return joined;
}

void LegJoiner::revoke(const Revocation& revoked) {
    for (auto& [stream_id, meeting] : open_)
        if (meeting.joined.stream.rests_on(revoked)) meeting.joined.revoked = revoked.why();
}

}  // namespace device_streams::hub
