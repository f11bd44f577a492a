#include "common/device_client/link_settings.hpp"

#include "common/base/error.hpp"
#include "common/base/version.hpp"
#include "common/http/date.hpp"
#include "common/iothub/sas_token.hpp"
#include "common/iothub/stream_headers.hpp"
#include "common/text/rfc3339.hpp"
#include "common/tunnel/features.hpp"

#include <algorithm>

namespace device_streams::device {

namespace {

Secret make_password(const LinkSettings& settings, const Clock& clock) {
    const auto& identity = settings.identity;
    if (identity.key.empty()) return identity.token;
    const auto resource = iothub::device_resource(identity.host_name, identity.device_id, identity.module_id);
    const auto expiry = clock.unix_seconds() + settings.token_lifetime.count();
    return iothub::make_sas_token(resource, identity.key, expiry, identity.policy);
}

// As with tokens; close to its end a certificate may be renewed at any moment.
Clock::duration renewal_age_of(std::int64_t seconds_left) {
    constexpr std::int64_t year = 365 * 24 * 3600;
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds_left / 10 * 8, 60, year));
}

bool same_certificate(const std::shared_ptr<OwnCertificate>& one, const std::shared_ptr<OwnCertificate>& other) {
    if (!one || !other) return one == other;
    return one->facts().sha256 == other->facts().sha256;
}

Failure refused_upgrade(const http::Response& answer) {
    const auto said = status_text(answer) + " instead of a WebSocket for MQTT";
    if (lost_upgrade(answer)) return {Errc::upgrade_removed, said};
    const bool busy = answer.status == 429 || answer.status == 503;
    return {busy ? Errc::hub_busy : Errc::hub_protocol, said};
}

}  // namespace

Clock::duration LinkSettings::renewal_age(const Clock& clock) const {
    if (certificate) return renewal_age_of(certificate->facts().not_after - clock.unix_seconds());
    return makes_tokens() ? Clock::duration(token_lifetime) / 10 * 8 : Clock::duration::max();
}

bool LinkSettings::same_link(const LinkSettings& other) const {
    return identity.host_name == other.identity.host_name && target() == other.target() &&
           identity.key == other.identity.key && identity.token == other.identity.token &&
           identity.policy == other.identity.policy && same_certificate(certificate, other.certificate) &&
           hub.connect_host == other.hub.connect_host && hub.path_prefix == other.hub.path_prefix &&
           same_proxy(hub.proxy, other.hub.proxy) && hub.mss == other.hub.mss && port == other.port &&
           transport == other.transport && keep_alive == other.keep_alive;
}

mqtt::Connect make_login(const LinkSettings& settings, const Clock& clock, std::string instance) {
    iothub::MqttUserName user;
    user.host = settings.identity.host_name;
    user.target = settings.target();
    user.api_version = iothub::api_version;
    user.client_type = announce("device-proxy/" + std::string(version), {device_hop_features, std::move(instance)});

    mqtt::Connect login;
    login.clean_session = false;
    login.keep_alive = static_cast<std::uint16_t>(settings.keep_alive.count());
    login.client_id = settings.target().to_string();
    login.user_name = iothub::mqtt_user_name(user);
    if (!settings.certificate) login.password = make_password(settings, clock);
    return login;
}

asio::awaitable<OpenedLink> open_link(LinkSettings settings, Clock& clock, const Log& log) {
    OpenedLink opened;
    const Endpoint named{.host = settings.hub.host_name, .port = settings.port, .path = {}};
    if (settings.certificate) settings.hub.tls = settings.certificate->for_next_connection(clock, log);
    auto tls = co_await open_tls(settings.hub, named, clock);
    if (settings.certificate) settings.certificate->warn_if_not_valid(clock, log);
    if (settings.transport == LinkTransport::mqtt) {
        opened.stream = std::move(tls);
        co_return opened;
    }
    ws::ClientHandshake ask;
    ask.target = settings.hub.path_prefix + "/$iothub/websocket";
    if (!settings.certificate) ask.target += "?iothub-no-client-cert=true";
    ask.subprotocol = "mqtt";
    const ws::WsOptions options{.role = ws::Role::client};
    auto connection = std::make_unique<http::Connection>(std::move(tls));
    auto upgraded =
        co_await upgrade(std::move(connection), named, std::move(ask), options, settings.hub.timeout, clock);
    if (!upgraded.stream) throw refused_upgrade(upgraded.answer);
    opened.stream = std::move(upgraded.stream);
    opened.hub_ahead = http::clock_ahead(upgraded.answer.headers, clock.wall_now());
    co_return opened;
}

Failure refused_login(const Failure& refusal, const LinkSettings& settings,
                      std::optional<std::chrono::seconds> hub_ahead, const Clock& clock) {
    if (refusal.errc() != Errc::hub_refused_login || !settings.makes_tokens()) return refusal;
    const auto now = clock.wall_now();
    if (hub_ahead) return http::with_clock_note(refusal, *hub_ahead, *hub_ahead >= settings.token_lifetime, now);
    return {refusal.errc(), refusal.detail() + "; by this machine's clock it is " +
                                format_rfc3339(std::chrono::floor<std::chrono::seconds>(now))};
}

}  // namespace device_streams::device
