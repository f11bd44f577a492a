#include "common/base/error.hpp"
#include "common/iothub/connection_string.hpp"
#include "common/iothub/sas_token.hpp"

#include <cstdlib>

using namespace device_streams;
using namespace device_streams::iothub;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) try {
    const auto parsed = parse_connection_string({reinterpret_cast<const char*>(data), size});
    const auto resource = device_resource(parsed.host_name, parsed.device_id, parsed.module_id);
    if (parsed.key.empty() == (parsed.token.empty() && !parsed.x509)) std::abort();
    if (parsed.key.empty()) return 0;
    const auto token = parse_sas_token(make_sas_token(resource, parsed.key, 1, parsed.policy).reveal());
    if (!token || !token->signed_by(parsed.key) || !token->covers(resource)) std::abort();
    return 0;
} catch (const Failure& failure) {
    if (failure.errc() != Errc::credential_malformed) std::abort();
    return 0;
}
