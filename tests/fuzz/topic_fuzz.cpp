#include "common/iothub/refusal_reason.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/iothub/takeover.hpp"
#include "common/iothub/twin_request.hpp"
#include "common/mqtt/codec.hpp"

#include <cstdlib>
using namespace device_streams;
using namespace device_streams::iothub;

// What a parser takes, its writer writes so that the parser takes it again.
void check(std::string_view text, auto parse, auto write) {
    if (const auto first = parse(text); first && write(parse(write(*first)).value()) != write(*first)) std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check(text, parse_request_topic, request_topic);
    check(text, parse_answer_topic, answer_topic);
    check(text, parse_takeover_topic, takeover_topic);
    if (const auto answer = parse_answer_topic(text); answer && answer->reason && !wire_name(*answer->reason))
        std::abort();
    if (const auto id = request_id_of(text); id && !parse_answer_topic(answer_topic({400, *id}))) std::abort();
    if (const auto id = parse_twin_request(text))
        if (!mqtt::is_valid_topic(twin_answer_topic(501, *id))) std::abort();
    check(text, parse_service_path, [](const ServicePath& path) { return service_path(path, "2020-09-30"); });
    check(text, parse_bridge_path, bridge_path);
    for (const bool module : {false, true})
        check(
            text, [module](auto name) { return parse_mqtt_user_name(name, module); }, mqtt_user_name);
    if (is_provisioning_user_name(text, "dev-01") && !parse_mqtt_user_name(text, true)) std::abort();
    if (mqtt::is_valid_topic(text) && !mqtt::topic_matches(text, text)) std::abort();
    if (const auto url = parse_stream_url(text); url && url->host.empty()) std::abort();
    return 0;
}
