#include "common/tls/client_chain.hpp"

#include <cstdint>
#include <cstdlib>

using namespace device_streams;

// The first byte decides about the version of TLS.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const bool tls13 = (data[0] & 1) != 0;
    const auto count = count_certificates(std::as_bytes(std::span(data + 1, size - 1)), tls13);
    if (count && *count * (tls13 ? 5 : 3) > size) std::abort();
    return 0;
}
