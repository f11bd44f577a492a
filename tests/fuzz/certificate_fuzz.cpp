#include "hub/identity/device_certificate.hpp"

#include <cstdlib>

using namespace device_streams;

// The first byte says how many of the next 256ths are the client's own certificate; the rest are its issuers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto own = text.size() * (data[0] + std::size_t{1}) / 256;
    const hub::DeviceAuthorities nobody;
    const auto found = nobody.examine({text.substr(0, own), text.substr(own)}, 1'700'000'000);
    if (!found) return 0;
    if (!found->authority.empty() || found->own.sha256.size() != 64 || found->own.sha1.size() != 40) std::abort();
    return 0;
}
