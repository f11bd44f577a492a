#include "hub/stream_hub.hpp"

#include "common/app/memory_reserve.hpp"
#include "common/http/date.hpp"
#include "hub/admin/quota_view.hpp"
#include "hub/admin/state_directory.hpp"
#include "hub/core/revocation_watch.hpp"

namespace device_streams::hub {

namespace {

std::shared_ptr<const TlsContext> load_certificate(const HubConfig& config) {
    return config.needs_certificate() ? TlsContext::server(config.certificate, config.key, config.tls.record_plane)
                                      : nullptr;
}

DeviceAuthorities load_authorities(const HubConfig& config) {
    return config.device_ca.empty() ? DeviceAuthorities() : DeviceAuthorities(config.device_ca);
}

std::string quota_file_of(const HubConfig& config) {
    return config.state_directory.empty() ? std::string() : StateDirectory{config.state_directory}.quota_file();
}

// For the commands of the administrator, the registry and logs that are opened afresh.
constexpr std::size_t kept_descriptors = 32;

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

StreamHub::StreamHub(const Environment& environment, const OpenRegistry& open_registry, const HubConfig& config,
                     std::optional<FileLock> state_lock)
    : clock_(environment.clock),
      log_(environment.log),
      reload_(environment.reload),
      executor_(environment.io.get_executor()),
      registry_(open_registry([this](const Revocation& revoked) { broker_->revoke(revoked); })),
      state_lock_(std::move(state_lock)),
      config_(config),
      limits_(config.limits),
      names_(HubNames{{config.host_name}}),
      tls_(load_certificate(config)),
      authorities_(load_authorities(config)),
      resource_log_(config.name, clock_, log_),
      leg_tokens_(config.name, random_signing_key()),
      peer_faults_(log_, clock_),
      quotas_(std::make_shared<StreamQuotas>(limits_of(config.quota), clock_)),
      bridges_(executor_, clock_, log_, limits_, [this](StreamEnd end) { resource_log_.add(std::move(end)); }),
      quota_file_(
          quotas_, quota_file_of(config), [this] { bridges_.count(); }, clock_, log_),
      broker_(std::make_shared<LocalBroker>(asio::make_strand(executor_), broker_parts(), config.limits.pairing,
                                            config.limits.presence)),
      context_{clock_,    log_,          *registry_, *broker_,     leg_tokens_,  [this] { return address(); },
               limits_,   names_,        tls_,       authorities_, peer_faults_, unauthenticated_,
               stopping_, resource_log_, *quotas_},
      handler_(context_),
      accepting_(executor_, [this](std::exception_ptr failure) { log_internal(failure); }),
      connections_(executor_, [this](std::exception_ptr failure) { log_internal(failure); }),
      background_(executor_, [this](std::exception_ptr failure) { log_internal(failure); }) {
}

LocalBroker::Parts StreamHub::broker_parts() {
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

std::optional<Endpoint> StreamHub::mqtt_endpoint() const {
    return mqtt_listener_ ? std::optional(mqtt_listener_->endpoint()) : std::nullopt;
}

std::optional<Endpoint> StreamHub::plain_endpoint() const {
    return plain_listener_ ? std::optional(plain_listener_->endpoint()) : std::nullopt;
}

PublicAddress StreamHub::address() const {
    const auto config = config_.get();
    const auto& url = config->public_url;
    return {url.host, url.port != 0 ? url.port : listener_->endpoint().port, url.path};
}

HubFacts StreamHub::facts() const {
    const auto where = address();
    return {names_.get()->names.front(),
            "https://" + where.host + ":" + std::to_string(where.port) + where.path_prefix};
}

void StreamHub::log_internal(const std::exception_ptr& failure) const {
    log_.fault(LogLevel::error, Errc::internal, explain(failure));
}

asio::awaitable<void> StreamHub::start() {
    const auto config = config_.get();
    warn_of_certificate();
    resource_log_.use(config->resource_log, config->resource_log_size);
    quota_file_.load();
    if (config->listen) listen_to(listener_, *config->listen, &ConnectionHandler::serve);
    if (config->mqtt_listen) listen_to(mqtt_listener_, *config->mqtt_listen, &ConnectionHandler::serve_mqtt);
    background_.spawn(broker_->control(), broker_->watch_deadlines());
    background_.spawn(quota_file_.run());
    if (config->listen_plain) listen_to(plain_listener_, *config->listen_plain, &ConnectionHandler::serve_plain);
    if (!config->admin_socket.empty()) start_admin();
    const auto place = [](const auto& listener) { return listener ? listener->endpoint().to_string() : "off"; };
    log_.info("hub is up", {{"name", config->name},
                            {"listen", place(listener_)},
                            {"mqtt_listen", place(mqtt_listener_)},
                            {"listen_plain", place(plain_listener_)},
                            {"public_url", facts().streaming_endpoint}});
    co_return;
}

// No reason not to start: its successor is taken over as soon as it is there.
void StreamHub::warn_of_certificate() const {
    const auto tls = *tls_.get();
    const auto problem = tls ? what_is_wrong_with(*tls->own_certificate(), clock_.unix_seconds()) : std::string();
    if (problem.empty()) return;
    const Failure failure(Errc::certificate_unusable, config_.get()->certificate + ": " + problem);
    log_.warning("clients will not trust this hub: " + explain(failure));
}

void StreamHub::listen_to(std::unique_ptr<Listener>& listener, const Endpoint& endpoint, Service serve) {
    const auto strand = accepting_.make_strand();
    listener = std::make_unique<Listener>(strand, endpoint);
    listener->admit(SocketAccess::group);  // front ends
    listener->keep_descriptors(kept_descriptors);
    if (const auto mss = config_.get()->mss) listener->limit_segments(*mss);
    accepting_.spawn(strand, accept_all(*listener, serve));
}

asio::awaitable<void> StreamHub::accept_all(Listener& listener, Service serve) {
    try {
        for (;;) {
            const auto strand = connections_.make_strand();
            auto socket = co_await listener.accept(strand, clock_, log_);
            take_on(strand, std::move(socket), serve);
        }
    } catch (...) {
        listener.close();
        throw;
    }
}

// Where memory is short a connection is refused, and the others stay: what is left is theirs.
void StreamHub::take_on(const Strand& strand, Socket socket, Service serve) {
    if (is_memory_short()) return refuse_for_memory(socket);
    try {
        connections_.spawn_stoppable(
            strand, [&](TaskSet::Stop stop) { return (handler_.*serve)(std::move(socket), std::move(stop)); });
    } catch (const std::bad_alloc&) {
        refuse_for_memory(socket);
    }
}

void StreamHub::refuse_for_memory(const Socket& socket) {
    peer_faults_.report(socket.peer(), Errc::internal, "out of memory for one more connection");
}

void StreamHub::start_admin() {
    AdministeredHub administered{*registry_, [this] { return facts(); }, live_view()};
    admin_ = std::make_unique<AdminServer>(executor_, config_.get()->admin_socket,
                                           AdminCommands(std::move(administered)), clock_, log_);
    admin_->start();
}

LiveView StreamHub::live_view() {
    auto streams = [this] { return bridges_.list(); };
    auto connected = [this] { return broker_->online(); };
    auto stopping = [this] { return stopping_.announced(); };
    auto quota = [this] {
        bridges_.count();
        return quotas_->use(quota_rows_shown);
    };
    return {std::move(streams), std::move(connected), std::move(stopping), reload_, std::move(quota)};
}

void StreamHub::apply(const HubConfig& config) {
    auto authorities = load_authorities(config);
    const auto renewed = use_certificate(config);
    const auto trusted = authorities.ids();
    authorities_.set(std::move(authorities));
    broker_->revoke(Revocation(trusted));
    limits_.set(config.limits);
    names_.set({{config.host_name}});
    quotas_->set(limits_of(config.quota));
    resource_log_.use(config.resource_log, config.resource_log_size);
    broker_->set_limits(config.limits.pairing, config.limits.presence);
    config_.set(config);
    if (!renewed) return;
    log_.info(
        "a new certificate is served",
        {{"sha256", renewed->sha256}, {"days_left", (renewed->not_after - clock_.unix_seconds()) / seconds_a_day}});
}

// The new one; nullopt: it is the same, or there is none.
std::optional<CertificateFacts> StreamHub::use_certificate(const HubConfig& config) {
    auto tls = load_certificate(config);
    const auto before = *tls_.get();
    if (!tls || !before) return std::nullopt;  // the listeners are those of the start
    auto certificate = *tls->own_certificate();
    const bool renewed = certificate.sha256 != before->own_certificate()->sha256;
    const auto problem = what_is_wrong_with(certificate, clock_.unix_seconds());
    if (renewed && !problem.empty()) throw Failure(Errc::certificate_unusable, config.certificate + ": " + problem);
    tls_.set(std::move(tls));
    return renewed ? std::optional(std::move(certificate)) : std::nullopt;
}

void StreamHub::stop_accepting() {
    accepting_.cancel_all();
    stopping_.announce();
    broker_->stop();
    if (admin_) admin_->yield();
    background_.spawn(
        watch_for_revocations(context_, bridges_, [this] { return load_authorities(*config_.get()).ids(); }));
}

void StreamHub::cancel() {
    connections_.cancel_all();
    bridges_.cancel_all();
}

asio::awaitable<void> StreamHub::until_done() {
    co_await accepting_.until_empty();
    co_await quota_file_.yield();
    state_lock_.reset();
    co_await connections_.until_empty();
    co_await broker_->flush();  // legs on their way to a bridge
    co_await bridges_.until_empty();
    if (admin_) co_await admin_->stop();
    background_.cancel_all();
    co_await background_.until_empty();
    co_await broker_->flush();  // revocations that name the bridges
    co_await quota_file_.finish();
    log_.info("hub is down");
}

}  // namespace device_streams::hub
