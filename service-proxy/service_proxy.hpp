#pragma once

#include "common/app/run.hpp"
#include "common/async/task_set.hpp"
#include "service-proxy/local_listener.hpp"
#include "service-proxy/service_proxy_settings.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace device_streams::service {

/// The program: listens for each forward and turns connections into streams. It listens whether or not the hub is
/// there; connections that come while it is away are refused at once with the reason in the log.
class ServiceProxy final : public Component {
 public:
    ServiceProxy(Environment environment, ServiceProxySettings settings);
    ~ServiceProxy() override;

    asio::awaitable<void> start() override;
    void stop_accepting() override;
    void cancel() override;
    asio::awaitable<void> until_done() override;

    /// New connections use `settings`, running streams keep theirs. Forwards that are gone stop listening, new ones
    /// start. Throws Failure(listen_failed) and changes nothing when a new forward cannot listen.
    void apply(ServiceProxySettings settings);

    /// Where it listens, in the order of the forwards.
    std::vector<Endpoint> endpoints() const;
    std::size_t streams() const { return streams_.size(); }

 private:
    using Listeners = std::vector<std::shared_ptr<LocalListener>>;
    void use_hub();

    Environment environment_;
    ServiceProxySettings settings_;
    std::optional<StreamTools> tools_;
    TaskSet warming_;
    TaskSet streams_;
    std::optional<asio::any_io_executor> control_;
    std::optional<TaskSet> accepting_;  // inside the control strand
    Listeners listeners_;
};

}  // namespace device_streams::service
