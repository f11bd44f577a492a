#include "common/iothub/sas_token.hpp"
#include "common/iothub/stream_token.hpp"

#include <cstdlib>

using namespace device_streams;
using namespace device_streams::iothub;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const Secret key("c29tZSBrZXk=");
    if (verify_stream_token(text, Secret("some key")) || SasToken{text, text, 0, text}.signed_by(key)) std::abort();
    const auto token = parse_sas_token(text);
    if (!token) return 0;
    if (token->signed_by(key) || !token->covers(token->resource + "/x") != token->resource.starts_with('/'))
        std::abort();
    const auto ours = parse_sas_token(make_sas_token(token->resource, key, token->expiry, token->policy).reveal());
    if (!ours || !ours->signed_by(key) || ours->policy != token->policy || ours->expired(0) != token->expired(0))
        std::abort();
    return 0;
}
