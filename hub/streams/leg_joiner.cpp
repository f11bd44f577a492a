#include "hub/streams/leg_joiner.hpp"

#include <utility>

namespace device_streams::hub {

void LegJoiner::expect_legs(StreamRef stream) {
    const auto stream_id = stream.stream_id;
    open_.emplace(stream_id, Expected{{std::move(stream), nullptr, nullptr, {}}});
}

std::optional<LegJoiner::Joined> LegJoiner::arrived(const std::string& stream_id, StreamRole role,
                                                    std::unique_ptr<ByteStream> leg) {
    const auto expected = open_.find(stream_id);
    if (expected == open_.end()) return std::nullopt;
    auto& joined = expected->second.joined;
    (role == StreamRole::device ? joined.device : joined.service) = std::move(leg);
    return close(expected, role);
}

std::optional<LegJoiner::Joined> LegJoiner::leg_lost(const std::string& stream_id, StreamRole role) {
    const auto expected = open_.find(stream_id);
    if (expected == open_.end()) return std::nullopt;
    return close(expected, role);
}

std::optional<LegJoiner::Joined> LegJoiner::close(std::unordered_map<std::string, Expected>::iterator expected,
                                                  StreamRole role) {
    auto& [device, service] = expected->second.awaited;
    (role == StreamRole::device ? device : service) = false;
    if (device || service) return std::nullopt;
    std::optional<Joined> joined(std::move(expected->second.joined));
    open_.erase(expected);
    return joined;
}

void LegJoiner::revoke(const Revocation& revoked) {
    for (auto& [stream_id, expected] : open_)
        if (expected.joined.stream.rests_on(revoked)) expected.joined.revoked = revoked.why();
}

}  // namespace device_streams::hub
