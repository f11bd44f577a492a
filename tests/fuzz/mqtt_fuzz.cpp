#include "common/mqtt/codec.hpp"

#include <cstdlib>

using namespace device_streams::mqtt;

// The first byte says how the rest is cut into pieces; what decodes must come out the same after encoding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) try {
    if (size == 0) return 0;
    Decoder decoder(4096);
    for (std::size_t at = 1, piece = data[0] + 1U; at < size; at += piece) {
        decoder.feed(std::as_bytes(std::span(data + at, std::min(piece, size - at))));
        while (const auto packet = decoder.next()) {
            Decoder again(8192);  // a foreign CONNECT may come back longer, as only its name and level are known
            again.feed(encode(*packet));
            if (again.next() != packet || again.buffered() != 0) std::abort();
        }
        if (decoder.buffered() >= 4096) std::abort();
    }
    return 0;
} catch (const ProtocolError&) {
    return 0;
}
