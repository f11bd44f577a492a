#pragma once

#include "common/async/backoff.hpp"
#include "common/base/log.hpp"
#include "common/device_client/client_session.hpp"
#include "common/device_client/own_certificate.hpp"
#include "common/hub_access/hub_access.hpp"
#include "common/iothub/connection_string.hpp"
#include "common/iothub/stream_request.hpp"
#include "common/mqtt/codec.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace device_streams::device {

/// How the link travels.
enum class LinkTransport {
    mqtt_ws,  ///< MQTT over WebSocket
    mqtt,     ///< MQTT directly in TLS
};

/// Everything the link to the hub needs.
struct LinkSettings {
    HubAccess hub;
    iothub::ConnectionString identity;
    std::shared_ptr<OwnCertificate> certificate;  ///< when the identity has neither key nor token
    LinkTransport transport = LinkTransport::mqtt_ws;
    std::uint16_t port = 443;             ///< for this transport
    std::chrono::seconds keep_alive{20};  ///< 1..65535; with SessionLimits::ping_answer, how soon a dead hub is noticed
    std::chrono::seconds token_lifetime{3600};  ///< of tokens made from the key; the link is renewed at 80 % of it
    SessionLimits session;
    Backoff::Limits backoff;

    /// Whether each login has a token that is made for it by this machine's clock.
    bool makes_tokens() const { return !certificate && !identity.key.empty(); }
    iothub::Target target() const { return {identity.device_id, identity.module_id}; }
    /// How long after its login a link is renewed, so that it outlives its token or certificate; Clock::duration::max()
    /// when it cannot be.
    Clock::duration renewal_age(const Clock& clock) const;
    /// True when a link made with `other` need not be made again.
    bool same_link(const LinkSettings& other) const;
};

/// The CONNECT packet of a link of this process (`instance`), with a token made now. Throws
/// Failure(credential_malformed) when the key is not base64.
mqtt::Connect make_login(const LinkSettings& settings, const Clock& clock, std::string instance);

/// What MQTT runs on.
struct OpenedLink {
    std::unique_ptr<ByteStream> stream;
    std::optional<std::chrono::seconds> hub_ahead{};  ///< the hub's clock, of this machine's; nullopt: it did not say
};
/// TLS to the hub and, if wanted, the WebSocket. Throws Failure.
asio::awaitable<OpenedLink> open_link(LinkSettings settings, Clock& clock, const Log& log);

/// A refused login with what is known of the two clocks: Failure(clock_behind) when its token had expired by the hub's
/// clock the moment it was made.
Failure refused_login(const Failure& refusal, const LinkSettings& settings,
                      std::optional<std::chrono::seconds> hub_ahead, const Clock& clock);

}  // namespace device_streams::device
