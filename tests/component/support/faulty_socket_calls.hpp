#pragma once

#include <cstdint>

namespace device_streams::test {

/// What may go wrong with each socket call of the process, in calls per thousand.
struct SocketFaultRates {
    unsigned short_transfer = 0;  ///< recv and send move one byte
    unsigned interrupted = 0;     ///< EINTR
    unsigned would_block = 0;     ///< EAGAIN although the socket is ready
    unsigned out_of_buffers = 0;  ///< ENOBUFS from send
    unsigned reset = 0;           ///< ECONNRESET from recv and send
    unsigned out_of_handles = 0;  ///< EMFILE from socket and accept
};

/// While it lives, the socket calls of this test program (common/net/socket_calls.hpp, replaced at link time) fail as
/// the rates say. The same seed gives the same sequence of decisions.
class SocketFaults {
 public:
    SocketFaults(std::uint64_t seed, const SocketFaultRates& rates);
    ~SocketFaults();
    SocketFaults(const SocketFaults&) = delete;
    SocketFaults& operator=(const SocketFaults&) = delete;
    /// How many calls were made to fail so far.
    static std::uint64_t injected();
};

}  // namespace device_streams::test
