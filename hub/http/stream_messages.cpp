#include "hub/http/stream_messages.hpp"

#include "common/iothub/stream_headers.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/tunnel/leg_upgrade.hpp"
#include "hub/core/sign_leg.hpp"
#include "hub/http/rest_answer.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace device_streams::hub {

namespace {

using iothub::RestError;

std::optional<Clock::duration> timeout_of(const http::Request& request, std::string_view header) {
    const auto value = request.headers.find(header);
    if (!value) return std::nullopt;
    const auto timeout = parse_timeout(*value);
    if (!timeout)
        throw RequestRefused(RestError::argument_invalid,
                             "the header " + std::string(header) + " is no number of seconds");
    return timeout;
}

}  // namespace

OpenRequest read_open_request(const http::Request& request) {
    auto path = iothub::parse_service_path(request.path());
    if (!path) throw RequestRefused(RestError::argument_invalid, "the path or the stream's name is malformed");
    OpenRequest open_request{path->target,
                             path->name,
                             timeout_of(request, iothub::connect_timeout_header),
                             timeout_of(request, iothub::response_timeout_header),
                             {},
                             {}};
    if (const auto features = request.headers.find(features_header)) open_request.announced = parse_features(*features);
    return open_request;
}

std::optional<Clock::duration> parse_timeout(std::string_view text) {
    double seconds = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, seconds, std::chars_format::fixed);
    if (failure != std::errc() || stop != end || !std::isfinite(seconds) || std::signbit(seconds)) return std::nullopt;
    constexpr double year = 365.0 * 24 * 3600;
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(seconds, year)));
}

http::Response stream_answer(const HubContext& hub, const iothub::Target& target, const RequestResult& result) {
    http::Response response;
    if (const auto* refused = std::get_if<Refused>(&result)) {
        response = error_answer(refused->error, refused->text, hub.clock.wall_now());
        if (refused->retry_after) response.headers.add("Retry-After", std::to_string(refused->retry_after->count()));
        return response;
    }
    const auto* granted = std::get_if<Granted>(&result);
    response.headers.add(std::string(iothub::accepted_header), granted != nullptr ? "True" : "False");
    if (granted == nullptr) return response;
    const auto leg = sign_leg(hub, target, granted->stream_id, StreamRole::service, granted->deadline);
    response.headers.add(std::string(iothub::url_header), leg.url);
    response.headers.add(std::string(iothub::token_header), std::string(leg.token.reveal()));
    if (granted->features) response.headers.add(std::string(features_header), to_string(*granted->features));
    return response;
}

http::Response leg_upgrade_answer(const Granted& granted) {
    http::Response response;
    response.status = 101;
    add_leg_upgrade(response.headers);
    response.headers.add(std::string(iothub::accepted_header), "True");
    response.headers.add(std::string(features_header), to_string(*granted.features));
    return response;
}

}  // namespace device_streams::hub
