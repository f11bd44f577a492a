#include "common/hub_access/socks_request.hpp"

#include <cstdlib>

using namespace device_streams;

namespace {

// "open", "more" or the code of the failure.
std::string outcome(const ProxyUrl& proxy, std::string_view answer, std::size_t piece) {
    SocksRequest request(proxy, {.host = "hub", .port = 443, .path = {}});
    try {
        for (; answer.size() > piece; answer.remove_prefix(piece)) {
            if (request.take(answer.substr(0, piece))) return "DS-217";  // what follows came too early
        }
        return request.take(answer) ? "open" : "more";
    } catch (const Failure& failure) {
        return std::string(describe(failure.errc()).id);
    }
}

}  // namespace

// An answer means the same in whatever pieces it comes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view answer(reinterpret_cast<const char*>(data), size);
    for (const auto* url : {"socks5h://proxy", "socks5h://a:b@proxy"}) {
        const auto proxy = parse_proxy_url(url);
        const auto whole = outcome(proxy, answer, size + 1);
        for (const std::size_t piece : {1, 3}) {
            if (outcome(proxy, answer, piece) != whole) std::abort();
        }
    }
    return 0;
}
