#pragma once

#include "common/base/clock.hpp"
#include "common/iothub/errors.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/iothub/stream_token.hpp"
#include "common/net/byte_stream.hpp"
#include "common/tunnel/features.hpp"
#include "hub/limits/hub_limits.hpp"
#include "hub/streams/presence.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace device_streams::hub {

using iothub::StreamRole;

class StreamShare;

/// Names a stream request for its whole life, also when it is delivered again under a new request id.
using RequestNumber = std::uint64_t;

/// What a service asks for.
struct OpenRequest {
    iothub::Target target;
    std::string name;                                 ///< of the stream
    std::optional<Clock::duration> connect_timeout;   ///< how long an offline device is waited for; default 0
    std::optional<Clock::duration> response_timeout;  ///< how long its answer is waited for; default 30 s
    std::optional<Features> announced;                ///< by the service; nullopt: a foreign client
    ServiceGrant grant{};                             ///< what lets the service ask
    std::shared_ptr<StreamShare> share{};             ///< its place under the limits, kept until the stream is over
};

/// A stream request on its way to a device. The link that delivers it signs the token of its leg and encodes it.
struct DeviceRequest {
    std::string request_id;
    std::string name;  ///< of the stream
    std::string stream_id;
    Clock::time_point deadline;          ///< for the legs
    std::optional<Features> features{};  ///< of the device's leg; nullopt: the device announced none
    std::string policy{};                ///< of the service; empty: the device did not announce that it reads it
};

/// The device has accepted. The endpoint that tells the service signs the token of its leg.
struct Granted {
    RequestNumber request;
    std::string stream_id;
    Clock::time_point deadline;        ///< for the legs
    std::optional<Features> features;  ///< of the service's leg; nullopt: the service announced none
};
/// The device has rejected.
struct Rejected {
    std::optional<Errc> reason{};  ///< why, if the device told
};
/// The hub has refused.
struct Refused {
    iothub::RestError error;
    std::string text;
    std::optional<std::chrono::seconds> retry_after{};
};
/// How a stream request ends for the service.
using RequestResult = std::variant<Granted, Rejected, Refused>;

/// A stream as its log lines and its legs need it.
struct StreamRef {
    std::string stream_id;
    std::string name;
    iothub::Target target;
    Credential login{};  ///< of the link that was asked
    ServiceGrant grant{};
    std::shared_ptr<StreamShare> share{};

    bool rests_on(const Revocation& revoked) const { return revoked.covers(target, login, grant); }
};

// What the driver must do.
struct Deliver {
    LinkNumber link;
    DeviceRequest request;
};
struct Reply {
    RequestNumber request;
    RequestResult result;
};
struct EndLeg {
    std::string stream_id;
    StreamRole role;
    CloseReason close_reason;
};
struct Join {  ///< both legs are attached
    StreamRef stream;
};
struct Abandon {  ///< an accepted stream will not get both its legs; for the log
    StreamRef stream;
    std::string why;
    CloseReason close_reason = CloseReason::lost;  ///< what its legs are told
};
using PairingAction = std::variant<Deliver, Reply, EndLeg, Join, Abandon>;
using PairingActions = std::vector<PairingAction>;

/// Whether a WebSocket may become the leg of a stream.
struct Admission {
    enum class Verdict { admitted, unknown_stream, role_taken } verdict = Verdict::unknown_stream;
    std::string name{};   ///< of the stream
    Features features{};  ///< of this leg
};

/// The rules of stream requests: deliver, answer, redeliver, expire, and bring two legs together, in any order. One
/// deadline runs from the request until both legs are attached. Plain state without sockets or a clock: calls bring
/// events with their time, and return what is to be done, in order.
class Pairing {
 public:
    /// `make_stream_id` gives 32 hex digits that nobody can guess.
    Pairing(PairingLimits limits, std::function<std::string()> make_stream_id);

    /// `number`: none that was used before.
    PairingActions open(RequestNumber number, OpenRequest open_request, const DeviceState& device,
                        Clock::time_point now);
    /// The service went away. No effect once its leg is there, which then speaks for it.
    PairingActions cancel(RequestNumber request);

    /// The device takes requests on `link`: delivers what waits, and again what was delivered on an earlier link, is
    /// unanswered and has no leg, under a fresh request id, stream id and tokens that void the old ones.
    PairingActions device_subscribed(const iothub::Target& target, LinkNumber link, std::optional<Features> announced,
                                     Clock::time_point now, const Credential& login = {});
    /// Answers to unknown, answered or voided request ids, or of another identity, do nothing.
    PairingActions answered(const iothub::Target& target, const iothub::StreamAnswer& answer);
    /// Ends what revoked logins were asked for.
    PairingActions forget(const Revocation& revoked);
    /// The hub stops: nothing pending can complete.
    PairingActions stop();

    /// Reserves the role for a WebSocket whose token was good. It counts as a leg from here on, before its 101 is sent:
    /// a peer that has its 101 is told how the other leg ended, however early that was.
    Admission admit(const std::string& stream_id, StreamRole role, const iothub::Target& target);
    /// Joins the legs if both are there. The caller of admit() calls it as soon as its leg can be told.
    PairingActions join(const std::string& stream_id);
    /// The leg went away while it waited. Its token is used up: the stream can only fail now.
    PairingActions leg_left(const std::string& stream_id, StreamRole role);

    /// When to call expire() next; nullopt: nothing is pending.
    std::optional<Clock::time_point> next_deadline() const;
    PairingActions expire(Clock::time_point now);

    std::size_t size() const { return requests_.size(); }
    void set_limits(PairingLimits limits) { limits_ = limits; }

 private:
    enum class Phase { waiting_for_device, delivered, accepted };
    enum class Leg { none, here, left };
    struct Request {
        OpenRequest open_request;
        Phase phase = Phase::waiting_for_device;
        Clock::time_point deadline;  // until both legs are attached
        Clock::time_point expires;   // of the phase
        Clock::duration response_timeout{};
        std::string request_id;  // of the last delivery, as are the next four
        std::string stream_id;
        LinkNumber link = 0;
        Credential login;
        Features device_features;
        Features service_features;
        std::array<Leg, 2> legs{Leg::none, Leg::none};

        Leg& leg(StreamRole role) { return legs[role == StreamRole::device ? 0 : 1]; }
        bool rests_on(const Revocation& revoked) const {
            return revoked.covers(open_request.target, login, open_request.grant);
        }
        StreamRef stream() const {
            return {stream_id, open_request.name, open_request.target, login, open_request.grant, open_request.share};
        }
        bool has_leg() const { return legs[0] != Leg::none || legs[1] != Leg::none; }
    };
    using Requests = std::unordered_map<RequestNumber, Request>;
    struct OfTarget {
        std::set<RequestNumber> numbers;
        LinkNumber link_asked = 0;  // that has been given all of them but those that wait
        bool some_wait = false;
    };

    Deliver deliver(RequestNumber number, Request& request, LinkNumber link, std::optional<Features> announced,
                    const Credential& login, Clock::time_point now);
    void set_expiry(RequestNumber number, Request& request, Clock::time_point when);
    bool has_room_for(const OpenRequest& open_request) const;
    void void_ids(const Request& request);
    void erase(Requests::iterator where);
    void fail(Requests::iterator where, const Refused& why, CloseReason for_legs, PairingActions& actions);
    Requests::iterator by_stream(const std::string& stream_id);

    PairingLimits limits_;
    std::function<std::string()> make_stream_id_;
    std::uint64_t last_request_id_ = 0;
    Requests requests_;
    std::unordered_map<std::string, RequestNumber> by_request_id_;
    std::unordered_map<std::string, RequestNumber> by_stream_id_;
    std::map<iothub::Target, OfTarget> by_target_;
    std::unordered_map<std::string, std::size_t> of_policy_;  // requests
    std::set<std::pair<Clock::time_point, RequestNumber>> expiries_;
};

}  // namespace device_streams::hub
