#pragma once

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/mqtt/codec.hpp"
#include "common/tunnel/features.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace device_streams::hub {

/// CONNACK return codes as the wire protocol uses them.
enum class ConnackCode : std::uint8_t {
    accepted = 0,
    wrong_protocol_level = 1,
    wrong_client_id = 2,  ///< bad, or not the identity that the user name says
    busy = 3,
    malformed = 4,
    refused = 5,  ///< unknown identity, wrong or expired credential
};

/// The identity that a CONNECT claims, and with what.
struct Login {
    iothub::Target target;
    Secret password;                        ///< empty: none
    std::optional<Announcement> announced;  ///< nullopt: a foreign client
    std::string client_type;                ///< free text of the client
    std::string api_version;                ///< accepted as it is
};

// What the driver must do, in order.
struct CheckLogin {  ///< and tell login_decided()
    Login login;
};
struct SendPacket {
    mqtt::Packet packet;
};
struct StartRequests {};  ///< the device takes stream requests now
struct StopRequests {};
struct TakeAnswer {
    iothub::StreamAnswer answer;
};
struct EndLink {
    std::optional<Errc> fault;  ///< nullopt: the device said goodbye, or has renewed the link
    std::string why;            ///< one clause; never payload or credentials
    std::string new_peer{};     ///< address:port of the link in its place; empty: there is none
};
using SessionAction = std::variant<CheckLogin, SendPacket, StartRequests, StopRequests, TakeAnswer, EndLink>;
using SessionActions = std::vector<SessionAction>;

/// The server side of one MQTT 3.1.1 link as Azure IoT Hub's devices expect it: packets in, actions out. Knows no
/// socket and no clock. Telemetry is acknowledged and dropped, twin requests are answered with 501; wills are ignored.
class DeviceSession {
 public:
    SessionActions received(const mqtt::Packet& packet);
    /// The verdict over CheckLogin.
    SessionActions login_decided(ConnackCode code);

    /// The link is dead when nothing came for so long: 1.5 x keep-alive, at most 1767 s.
    Clock::duration silence_limit() const { return silence_limit_; }
    bool is_up() const { return phase_ == Phase::up; }

 private:
    enum class Phase { fresh, checking, up, over };

    SessionActions on(const mqtt::Connect& packet);
    SessionActions on(const mqtt::Publish& packet);
    SessionActions on(const mqtt::Subscribe& packet);
    SessionActions on(const mqtt::Unsubscribe& packet);
    SessionActions on(const mqtt::PingReq& packet);
    SessionActions on(const mqtt::PubAck& packet);
    SessionActions on(const mqtt::Disconnect& packet);
    template <typename Other>
    SessionActions on(const Other&) {
        return violation("it sent a packet that only servers send, or one of QoS 2");
    }
    SessionActions violation(const char* why);
    SessionActions turn_away(ConnackCode code, Errc fault, const std::string& why);

    Phase phase_ = Phase::fresh;
    bool takes_requests_ = false;
    bool takes_twin_answers_ = false;
    Clock::duration silence_limit_ = std::chrono::seconds(1767);
};

/// Reads identity and announcement out of CONNECT, or says why it cannot be.
struct LoginRefused {
    ConnackCode code;
    std::string why;
    Errc fault = Errc::peer_garbage;  ///< for the log
};
std::variant<Login, LoginRefused> read_login(const mqtt::Connect& packet);

}  // namespace device_streams::hub
