#pragma once

#include "hub/streams/pairing.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

namespace device_streams::hub {

using namespace std::chrono_literals;
using iothub::RestError;
using Verdict = Admission::Verdict;

template <typename Action>
std::vector<Action> only(const PairingActions& actions) {
    std::vector<Action> found;
    for (const auto& action : actions)
        if (const auto* one = std::get_if<Action>(&action)) found.push_back(*one);
    return found;
}

class PairingTest : public testing::Test {
 protected:
    OpenRequest open_request(std::optional<Clock::duration> connect = {},
                             std::optional<Clock::duration> response = {}) const {
        return {.target = pump,
                .name = "ssh.0a1b2c3d",
                .connect_timeout = connect,
                .response_timeout = response,
                .announced = {}};
    }
    DeviceState subscribed(LinkNumber link = 1) const { return {.subscribed_link = link}; }
    PairingActions open(const OpenRequest& what, const DeviceState& device = {}) {
        return pairing.open(++request, what, device, clock.now());
    }
    DeviceRequest open_delivered(const OpenRequest& what, const DeviceState& device) {
        return only<Deliver>(open(what, device)).at(0).request;
    }
    DeviceRequest open_delivered() { return open_delivered(open_request(), subscribed()); }
    PairingActions accept(const std::string& request_id) { return pairing.answered(pump, {200, request_id}); }
    Granted granted(const std::string& request_id) {
        return std::get<Granted>(only<Reply>(accept(request_id)).at(0).result);
    }
    static RestError refused(const PairingActions& actions) {
        return std::get<Refused>(only<Reply>(actions).at(0).result).error;
    }
    Verdict admit(const std::string& stream, StreamRole role) { return pairing.admit(stream, role, pump).verdict; }
    PairingActions attach(const std::string& stream, StreamRole role) {
        EXPECT_EQ(admit(stream, role), Verdict::admitted);
        return pairing.join(stream);
    }
    PairingActions after(Clock::duration step) {
        clock.advance(step);
        return pairing.expire(clock.now());
    }

    test::ManualClock clock;
    int streams = 0;
    Pairing pairing{{.handshake_timeout = 60s, .response_default = 30s, .pending = 3},
                    [this] { return "sid-" + std::to_string(++streams); }};
    RequestNumber request = 0;
    const iothub::Target pump{"pump-17", {}};
    const iothub::Target module{"pump-17", "tunnel"};
    static constexpr auto device = StreamRole::device;
    static constexpr auto service = StreamRole::service;
};

}  // namespace device_streams::hub
