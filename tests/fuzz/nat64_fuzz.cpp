#include "common/net/nat64.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
using namespace device_streams;

// Whatever DNS says: what an address tells of is a prefix of that address, and more addresses can be made with it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    asio::ip::address_v6::bytes_type bytes{};
    for (; size >= bytes.size(); data += bytes.size(), size -= bytes.size()) {
        std::memcpy(bytes.data(), data, bytes.size());
        const asio::ip::address_v6 address(bytes);
        const auto prefixes = nat64_prefixes({&address, 1});
        if (prefixes.empty()) continue;
        const auto made = embed(prefixes.front(), asio::ip::make_address_v4("192.0.2.33"));
        if (!made || nat64_prefixes({&*made, 1}).size() > 1) std::abort();
        const auto front = prefixes.front().length / 8;
        if (!std::equal(bytes.begin(), bytes.begin() + front, made->to_bytes().begin())) std::abort();
    }
    return 0;
}
