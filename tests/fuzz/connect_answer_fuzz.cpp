#include "common/base/error.hpp"
#include "common/hub_access/connect_request.hpp"

#include <cstdlib>

using namespace device_streams;

namespace {

// "open", "more" or the code of the failure.
std::string outcome(std::string_view answer, std::size_t piece) {
    const auto proxy = parse_proxy_url("http://a:b@proxy:1");
    ConnectRequest request(proxy, {.host = "hub", .port = 443, .path = {}});
    try {
        for (; answer.size() > piece; answer.remove_prefix(piece)) {
            if (request.take(answer.substr(0, piece))) return "garbage";  // what follows came too early
        }
        return request.take(answer) ? "open" : "more";
    } catch (const Failure& failure) {
        return failure.errc() == Errc::proxy_garbage ? "garbage" : std::string(describe(failure.errc()).id);
    }
}

}  // namespace

// An answer means the same in whatever pieces it comes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view answer(reinterpret_cast<const char*>(data), size);
    const auto whole = outcome(answer, size + 1);
    for (const std::size_t piece : {1, 7}) {
        if (outcome(answer, piece) != whole) std::abort();
    }
    return 0;
}
