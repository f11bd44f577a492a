#pragma once

#include "common/app/run.hpp"
#include "common/async/task_set.hpp"
#include "service-proxy/service_proxy.hpp"

namespace device_streams::service {

/// `--stdio`: one stream on two descriptors instead of listening, for ssh's ProxyCommand. The program ends with the
/// stream: exit code 0 when it ended cleanly, else that of the error. SIGHUP, which ssh sends when it has closed both,
/// means nothing.
class StdioProxy final : public Component {
 public:
    /// Takes ownership of both descriptors. Of `settings`, the forwards are not used.
    StdioProxy(Environment environment, ServiceProxySettings settings, Forward target, std::pair<int, int> in_and_out);

    asio::awaitable<void> start() override;
    void stop_accepting() override {}
    void cancel() override { stream_.cancel_all(); }
    asio::awaitable<void> until_done() override { return stream_.until_empty(); }

 private:
    asio::awaitable<void> serve(StreamTools tools);

    Environment environment_;
    const ServiceProxySettings settings_;
    const Forward target_;
    std::unique_ptr<ByteStream> local_;
    TaskSet stream_;
};

}  // namespace device_streams::service
