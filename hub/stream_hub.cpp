#include "hub/stream_hub.hpp"

#include "common/async/task_set.hpp"
#include "common/http/date.hpp"
#include "common/net/listener.hpp"
#include "hub/admin/admin_server.hpp"
#include "hub/admin/quota_view.hpp"
#include "hub/admin/state_directory.hpp"
#include "hub/core/revocation_watch.hpp"
#include "hub/http/connection_handler.hpp"
#include "hub/limits/current.hpp"
#include "hub/quota/quota_file.hpp"
#include "hub/streams/bridge.hpp"
#include "hub/streams/local_broker.hpp"

namespace device_streams::hub {

namespace {

std::shared_ptr<const TlsContext> load_certificate(const HubConfig& config) {
    return TlsContext::server(config.certificate, config.key);
}

DeviceAuthorities load_authorities(const HubConfig& config) {
    return config.device_ca.empty() ? DeviceAuthorities() : DeviceAuthorities(config.device_ca);
}

std::string quota_file_of(const HubConfig& config) {
    return config.state_directory.empty() ? std::string() : StateDirectory{config.state_directory}.quota_file();
}

constexpr std::int64_t seconds_a_day = 24 * 3600;

// Empty when it can be used now.
std::string what_is_wrong_with(const CertificateFacts& certificate, std::int64_t unix_now) {
    const auto date = [](std::int64_t seconds) {
        return http::format_date(std::chrono::system_clock::from_time_t(static_cast<std::time_t>(seconds)));
    };
    if (unix_now > certificate.not_after) return "it has expired on " + date(certificate.not_after);
    if (unix_now < certificate.not_before) return "it is not valid before " + date(certificate.not_before);
    return {};
}

}  // namespace

class StreamHub::Impl {
 public:
    Impl(Environment environment, std::unique_ptr<Registry> registry, HubConfig config);

    void start();
    void stop_accepting();
    void cancel();
    asio::awaitable<void> until_closed();
    asio::awaitable<void> until_done();
    void apply(const HubConfig& config);

    Endpoint endpoint() const { return listener_->endpoint(); }
    std::optional<Endpoint> mqtt_endpoint() const {
        return mqtt_listener_ ? std::optional(mqtt_listener_->endpoint()) : std::nullopt;
    }
    Registry& registry() { return *registry_; }

 private:
    using Service = asio::awaitable<void> (ConnectionHandler::*)(Socket);
    asio::awaitable<void> accept_all(Listener& listener, Service serve);
    PublicAddress address() const;
    HubFacts facts() const;
    void warn_of_certificate() const;
    void listen_to(std::unique_ptr<Listener>& listener, const Endpoint& endpoint, Service serve);
    void start_admin();
    LocalBroker::Parts broker_parts();
    LiveView live_view();
    void log_internal(const std::exception_ptr& failure) const;

    Clock& clock_;
    Log log_;
    std::function<asio::awaitable<Changes>()> reload_;  // the whole program's
    asio::any_io_executor executor_;
    std::unique_ptr<Registry> registry_;
    Current<HubConfig> config_;
    Current<HubLimits> limits_;
    Current<HubNames> names_;
    Current<std::shared_ptr<const TlsContext>> tls_;
    ResourceLog resource_log_;
    Current<DeviceAuthorities> authorities_;
    LegTokens leg_tokens_;
    PeerFaultLog peer_faults_;
    UnauthenticatedConnections unauthenticated_;
    ShutdownSignal stopping_;
    std::shared_ptr<StreamQuotas> quota_;
    Bridges bridges_;
    QuotaFile quota_keeper_;
    std::shared_ptr<LocalBroker> broker_;
    HubContext context_;
    ConnectionHandler door_;
    std::unique_ptr<Listener> listener_;
    std::unique_ptr<Listener> mqtt_listener_;
    TaskSet accepting_;
    TaskSet connections_;
    TaskSet background_;
    std::unique_ptr<AdminServer> admin_;
};

StreamHub::Impl::Impl(Environment environment, std::unique_ptr<Registry> registry, HubConfig config)
    : clock_(environment.clock),
      log_(environment.log),
      reload_(environment.reload),
      executor_(environment.io.get_executor()),
      registry_(std::move(registry)),
      config_(config),
      limits_(config.limits),
      names_(HubNames{{config.host_name}}),
      tls_(load_certificate(config)),
      resource_log_(config.name, clock_, log_),
      authorities_(load_authorities(config)),
      leg_tokens_(config.name, random_signing_key()),
      peer_faults_(log_, clock_),
      quota_(std::make_shared<StreamQuotas>(limits_of(config.quota), clock_)),
      bridges_(executor_, clock_, log_, limits_),
      quota_keeper_(
          quota_, quota_file_of(config), [this] { bridges_.count(); }, clock_, log_),
      broker_(std::make_shared<LocalBroker>(asio::make_strand(executor_), broker_parts(), config.limits.pairing,
                                            config.limits.presence)),
      context_{clock_,    log_,          *registry_, *broker_,     leg_tokens_,  [this] { return address(); },
               limits_,   names_,        tls_,       authorities_, peer_faults_, unauthenticated_,
               stopping_, resource_log_, *quota_},
      door_(context_),
      accepting_(executor_),
      connections_(executor_),
      background_(executor_) {
    const auto log_failure = [this](const std::exception_ptr& failure) { log_internal(failure); };
    accepting_.on_failure = connections_.on_failure = background_.on_failure = log_failure;
    bridges_.on_end = [this](StreamEnd end) { resource_log_.add(std::move(end)); };
    registry_->on_revoked = [this](const Revocation& revoked) { broker_->revoke(revoked); };
}

LocalBroker::Parts StreamHub::Impl::broker_parts() {
    auto bridge = [this](StreamRef stream, std::unique_ptr<ByteStream> device, std::unique_ptr<ByteStream> service) {
        bridges_.start(std::move(stream), std::move(device), std::move(service));
    };
    auto close_alone = [this](std::unique_ptr<ByteStream> leg, CloseReason close_reason) {
        bridges_.close_alone(std::move(leg), close_reason);
    };
    auto cut = [this](const Revocation& revoked) { bridges_.revoke(revoked); };
    return {clock_, log_, std::move(bridge), std::move(close_alone), std::move(cut), [this](StreamEnd end) {
                resource_log_.add(std::move(end));
            }};
}

PublicAddress StreamHub::Impl::address() const {
    const auto config = config_.get();
    return {config->public_url.host,
            config->public_url.port != 0 ? config->public_url.port : listener_->endpoint().port};
}

HubFacts StreamHub::Impl::facts() const {
    const auto where = address();
    return {names_.get()->names.front(), "https://" + where.host + ":" + std::to_string(where.port)};
}

void StreamHub::Impl::log_internal(const std::exception_ptr& failure) const {
    log_.fault(LogLevel::error, Errc::internal, explain(failure));
}

void StreamHub::Impl::start() {
    const auto config = config_.get();
    warn_of_certificate();
    resource_log_.use(config->resource_log);
    quota_keeper_.load();
    listen_to(listener_, config->listen, &ConnectionHandler::serve);
    if (config->mqtt_listen) listen_to(mqtt_listener_, *config->mqtt_listen, &ConnectionHandler::serve_mqtt);
    background_.spawn(broker_->control(), broker_->watch_deadlines());
    background_.spawn(quota_keeper_.run());
    if (!config->admin_socket.empty()) start_admin();
    log_.info("hub is up", {{"name", config->name},
                            {"listen", listener_->endpoint().to_string()},
                            {"mqtt_listen", mqtt_listener_ ? mqtt_listener_->endpoint().to_string() : "off"},
                            {"public_url", facts().streaming_endpoint}});
}

// No reason not to start: its successor is taken over as soon as it is there.
void StreamHub::Impl::warn_of_certificate() const {
    const auto problem = what_is_wrong_with(*(*tls_.get())->own_certificate(), clock_.unix_seconds());
    if (problem.empty()) return;
    const Failure failure(Errc::certificate_unusable, config_.get()->certificate + ": " + problem);
    log_.warning("clients will not trust this hub: " + explain(failure));
}

void StreamHub::Impl::listen_to(std::unique_ptr<Listener>& listener, const Endpoint& endpoint, Service serve) {
    const auto strand = accepting_.make_strand();
    listener = std::make_unique<Listener>(strand, endpoint);
    accepting_.spawn(strand, accept_all(*listener, serve));
}

asio::awaitable<void> StreamHub::Impl::accept_all(Listener& listener, Service serve) {
    try {
        for (;;) {
            const auto strand = connections_.make_strand();
            auto socket = co_await listener.accept(strand, clock_, log_);
            connections_.spawn(strand, (door_.*serve)(std::move(socket)));
        }
    } catch (...) {
        listener.close();
        throw;
    }
}

void StreamHub::Impl::start_admin() {
    const auto config = config_.get();
    AdminCommands commands(
        *registry_, [this] { return facts(); }, live_view());
    admin_ = std::make_unique<AdminServer>(executor_, config->admin_socket, std::move(commands), clock_, log_);
    admin_->start();
}

LiveView StreamHub::Impl::live_view() {
    auto streams = [this]() -> asio::awaitable<std::vector<StreamInfo>> {
        std::vector<StreamInfo> shown;
        for (const auto& running : bridges_.list()) {
            StreamInfo info;
            info.target = running.stream.target;
            info.name = running.stream.name;
            info.bytes_to_service = running.bytes_to_service;
            info.bytes_to_device = running.bytes_to_device;
            info.duration = running.duration;
            shown.push_back(std::move(info));
        }
        co_return shown;
    };
    auto connected = [this] { return broker_->online(); };
    auto stopping = [this] { return stopping_.announced(); };
    auto quota = [this] {
        bridges_.count();
        return quota_->use(quota_rows_shown);
    };
    return {std::move(streams), std::move(connected), std::move(stopping), reload_, std::move(quota)};
}

void StreamHub::Impl::apply(const HubConfig& config) {
    auto authorities = load_authorities(config);
    auto tls = load_certificate(config);
    const auto certificate = *tls->own_certificate();
    const bool renewed = certificate.sha256 != (*tls_.get())->own_certificate()->sha256;
    const auto problem = what_is_wrong_with(certificate, clock_.unix_seconds());
    if (renewed && !problem.empty()) throw Failure(Errc::certificate_unusable, config.certificate + ": " + problem);
    tls_.set(std::move(tls));
    const auto trusted = authorities.ids();
    authorities_.set(std::move(authorities));
    broker_->revoke(Revocation(trusted));
    limits_.set(config.limits);
    names_.set({{config.host_name}});
    quota_->set(limits_of(config.quota));
    resource_log_.use(config.resource_log);
    broker_->set_limits(config.limits.pairing, config.limits.presence);
    config_.set(config);
    if (!renewed) return;
    log_.info("a new certificate is served",
              {{"sha256", certificate.sha256},
               {"days_left", (certificate.not_after - clock_.unix_seconds()) / seconds_a_day}});
}

void StreamHub::Impl::stop_accepting() {
    accepting_.cancel_all();
    stopping_.announce();
    broker_->stop();
    if (admin_) admin_->yield();
    background_.spawn(watch_for_revocations(context_, bridges_));
}

void StreamHub::Impl::cancel() {
    connections_.cancel_all();
    bridges_.cancel_all();
}

asio::awaitable<void> StreamHub::Impl::until_closed() {
    co_await accepting_.until_empty();
    co_await quota_keeper_.yield();
}

asio::awaitable<void> StreamHub::Impl::until_done() {
    co_await until_closed();
    co_await connections_.until_empty();
    co_await broker_->flush();  // legs on their way to a bridge
    co_await bridges_.until_empty();
    if (admin_) co_await admin_->stop();
    background_.cancel_all();
    co_await background_.until_empty();
    co_await broker_->flush();  // revocations that name the bridges
    co_await quota_keeper_.finish();
    log_.info("hub is down");
}

StreamHub::StreamHub(Environment environment, std::unique_ptr<Registry> registry, HubConfig config)
    : impl_(std::make_unique<Impl>(environment, std::move(registry), std::move(config))) {
}
StreamHub::~StreamHub() = default;

asio::awaitable<void> StreamHub::start() {
    impl_->start();
    co_return;
}
void StreamHub::stop_accepting() {
    impl_->stop_accepting();
}
void StreamHub::cancel() {
    impl_->cancel();
}
asio::awaitable<void> StreamHub::until_closed() {
    return impl_->until_closed();
}
asio::awaitable<void> StreamHub::until_done() {
    return impl_->until_done();
}
void StreamHub::apply(const HubConfig& config) {
    impl_->apply(config);
}
Endpoint StreamHub::endpoint() const {
    return impl_->endpoint();
}
std::optional<Endpoint> StreamHub::mqtt_endpoint() const {
    return impl_->mqtt_endpoint();
}
Registry& StreamHub::registry() {
    return impl_->registry();
}

}  // namespace device_streams::hub
