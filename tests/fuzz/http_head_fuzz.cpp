#include "common/http/connection.hpp"
#include "common/ws/handshake.hpp"

#include <cstdlib>

using namespace device_streams;

// A head that is accepted says the same when it is written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view head(reinterpret_cast<const char*>(data), size);
    try {
        auto request = http::parse_request_head(head);
        ws::answer_upgrade(request, ws::first_subprotocol(request));
        const bool keep_alive = std::exchange(request.keep_alive, true);
        const auto again = http::parse_request_head(http::serialize(request));
        if (again.method != request.method || again.target != request.target) std::abort();
        if (request.minor_version == 1 && again.keep_alive != keep_alive) std::abort();
    } catch (const http::MessageError&) {
    }
    try {
        const auto response = http::parse_response_head(head);
        if (response.status < 100 || response.status > 599) std::abort();
    } catch (const http::MessageError&) {
    }
    return 0;
}
