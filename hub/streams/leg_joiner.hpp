#pragma once

#include "common/net/byte_stream.hpp"
#include "hub/streams/pairing.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace device_streams::hub {

/// Streams whose two legs have been told to join. Each leg arrives once, or is gone for good. On one strand.
class LegJoiner {
 public:
    /// One that waits for no leg any more. A leg that did not come is nullptr.
    struct Joined {
        StreamRef stream;
        std::unique_ptr<ByteStream> device, service;
        std::string revoked;  ///< why the stream may not be; empty: it may
    };

    void expect_legs(StreamRef stream);
    bool expect(const std::string& stream_id) const { return open_.contains(stream_id); }
    /// These return the stream when it waited for this leg alone. Nothing happens to a stream that is not expected.
    std::optional<Joined> arrived(const std::string& stream_id, StreamRole role, std::unique_ptr<ByteStream> leg);
    std::optional<Joined> leg_lost(const std::string& stream_id, StreamRole role);
    /// Marks the streams that this covers. Their legs are awaited all the same, as both must be told.
    void revoke(const Revocation& revoked);

 private:
    struct Expected {
        Joined joined;
        std::array<bool, 2> awaited{true, true};
    };
    std::optional<Joined> close(std::unordered_map<std::string, Expected>::iterator expected, StreamRole role);

    std::unordered_map<std::string, Expected> open_;
};

}  // namespace device_streams::hub
