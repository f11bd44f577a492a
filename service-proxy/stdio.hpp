#pragma once

#include "common/app/run.hpp"
#include "common/async/task_set.hpp"
#include "service-proxy/service_proxy.hpp"

#include <functional>

namespace device_streams::service {

/// `--stdio`: one stream on two descriptors instead of listening, for ssh's ProxyCommand. The program ends with the
/// stream: exit code 0 when it ended cleanly, else that of the error. SIGHUP, which ssh sends when it has closed both,
/// means nothing.
class StdioProxy final : public Component {
 public:
    using OnFailure = std::function<void(const Failure&)>;
    /// Takes ownership of both descriptors. Of `settings`, the forwards are not used. `on_failure` hears why the stream
    /// failed, before the program ends.
    StdioProxy(Environment environment, ServiceProxySettings settings, Forward target, std::pair<int, int> in_and_out,
               OnFailure on_failure);

    asio::awaitable<void> start() override;
    void stop_accepting() override {}
    void cancel() override { stream_.cancel_all(); }
    asio::awaitable<void> until_done() override { return stream_.until_empty(); }

 private:
    asio::awaitable<void> serve(StreamTools tools);
    void fail(const Failure& failure);

    Environment environment_;
    const ServiceProxySettings settings_;
    const Forward target_;
    const OnFailure on_failure_;
    std::unique_ptr<ByteStream> local_;
    TaskSet stream_;
};

}  // namespace device_streams::service
