#include "common/base/error.hpp"
#include "hub/http/identity_json.hpp"

#include <cstdlib>

using namespace device_streams;

// What a body says is said again by the identity that it makes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    for (const iothub::Target& target : {iothub::Target{"dev-01", {}}, iothub::Target{"dev-01", "m"}}) try {
            const auto read = hub::parse_description(body, target);
            hub::Identity made{target, read.enabled.value_or(true), read.authentication, {}, read.status_reason};
            const auto again = hub::parse_description(hub::identity_json(made, true), target);
            const bool same = again.authentication == read.authentication && again.enabled == read.enabled &&
                              again.status_reason == read.status_reason;
            if (!same) std::abort();
        } catch (const hub::BadDescription&) {
            continue;
        }
    return 0;
}
