#pragma once

#include "common/app/private_files.hpp"
#include "common/app/run.hpp"
#include "common/async/task_set.hpp"
#include "common/net/listener.hpp"
#include "hub/admin/admin_server.hpp"
#include "hub/config/hub_config.hpp"
#include "hub/core/hub_context.hpp"
#include "hub/http/connection_handler.hpp"
#include "hub/identity/registry.hpp"
#include "hub/limits/current.hpp"
#include "hub/quota/quota_file.hpp"
#include "hub/streams/bridge.hpp"
#include "hub/streams/local_broker.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace device_streams::hub {

/// The hub as one component: listeners, links of devices, stream requests and bridges. Tests run it in their own
/// process on port 0.
class StreamHub final : public Component {
 public:
    using OpenRegistry = std::function<std::unique_ptr<Registry>(Registry::OnRevoked)>;
    /// `state_lock` is given up once no port is open any more: after a hand-over the next hub starts on the state,
    /// while this one still carries its streams. From then on the hub itself looks for identities that others remove.
    StreamHub(const Environment& environment, const OpenRegistry& open_registry, const HubConfig& config,
              std::optional<FileLock> state_lock = std::nullopt);

    asio::awaitable<void> start() override;
    void stop_accepting() override;
    void cancel() override;
    /// The admin socket serves until the end, or until a successor has its path.
    asio::awaitable<void> until_done() override;
    /// Takes new limits, host names, addresses for clients, certificates and CAs of devices; the hub's name, its
    /// listeners and its admin socket stay. Throws Failure (old settings stay) for an unusable certificate.
    void apply(const HubConfig& config);

    /// Where it listens, with the port the system chose. After start().
    Endpoint endpoint() const { return listener_->endpoint(); }
    std::optional<Endpoint> mqtt_endpoint() const;
    std::optional<Endpoint> plain_endpoint() const;
    Registry& registry() { return *registry_; }

 private:
    using Service = TaskSet::Beginning (ConnectionHandler::*)(Socket, SendAway);
    void listen_to(std::unique_ptr<Listener>& listener, const Endpoint& endpoint, Service serve);
    asio::awaitable<void> accept_all(Listener& listener, Service serve);
    void refuse_for_memory(const Socket& socket);
    void take_on(const Strand& strand, Socket socket, Service serve);
    void start_admin();
    PublicAddress address() const;
    HubFacts facts() const;
    LiveView live_view();
    LocalBroker::Parts broker_parts();
    void warn_of_certificate() const;
    std::optional<CertificateFacts> use_certificate(const HubConfig& config);
    void log_internal(const std::exception_ptr& failure) const;

    Clock& clock_;
    Log log_;
    const std::function<asio::awaitable<Changes>()> reload_;  // the whole program's
    asio::any_io_executor executor_;
    std::unique_ptr<Registry> registry_;
    std::optional<FileLock> state_lock_;
    Current<HubConfig> config_;
    Current<HubLimits> limits_;
    Current<HubNames> names_;
    Current<std::shared_ptr<const TlsContext>> tls_;
    Current<DeviceAuthorities> authorities_;
    ResourceLog resource_log_;
    LegTokens leg_tokens_;
    PeerFaultLog peer_faults_;
    UnauthenticatedConnections unauthenticated_;
    ShutdownSignal stopping_;
    std::shared_ptr<StreamQuotas> quotas_;
    Bridges bridges_;
    QuotaFile quota_file_;
    std::shared_ptr<LocalBroker> broker_;
    HubContext context_;
    ConnectionHandler handler_;
    std::unique_ptr<Listener> listener_;
    std::unique_ptr<Listener> mqtt_listener_;
    std::unique_ptr<Listener> plain_listener_;
    TaskSet accepting_;
    TaskSet connections_;
    TaskSet background_;
    std::unique_ptr<AdminServer> admin_;
};

}  // namespace device_streams::hub
