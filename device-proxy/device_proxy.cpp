#include "device-proxy/device_proxy.hpp"

#include "common/tunnel/features.hpp"

namespace device_streams::device {

namespace {

Log log_of(const Environment& environment, const DeviceProxySettings& settings) {
    return environment.log.with({{"device", settings.link.target().to_string()}});
}

}  // namespace

DeviceProxy::DeviceProxy(const Environment& environment, const DeviceProxySettings& settings)
    : link_(environment.io.get_executor(), environment.clock, log_of(environment, settings), settings.link,
            [this](iothub::StreamRequest request) { acceptor_.take(std::move(request)); }),
      acceptor_(
          environment.io.get_executor(), environment.clock, log_of(environment, settings), settings.streams,
          [this](const iothub::StreamRequest& request, std::optional<Errc> refusal) {
              const bool tells = refusal && parse_features(request.features).reasons;
              link_.answer({refusal ? 400 : 200, request.request_id, tells ? refusal : std::nullopt},
                           from_own_hub(request.features));
          },
          std::make_unique<LegOpener>(environment.io.get_executor(), environment.clock,
                                      log_of(environment, settings))) {
}

asio::awaitable<void> DeviceProxy::start() {
    link_.start();
    co_return;
}

void DeviceProxy::stop_accepting() {
    acceptor_.stop_taking([this] { link_.leave(); });
}

void DeviceProxy::cancel() {
    acceptor_.stop_taking();
    link_.cancel();
    acceptor_.cancel();
}

asio::awaitable<void> DeviceProxy::until_done() {
    co_await acceptor_.until_done();
    co_await link_.until_done();
}

void DeviceProxy::apply(DeviceProxySettings settings) {
    acceptor_.apply(std::move(settings.streams));
    link_.apply(std::move(settings.link));
}

}  // namespace device_streams::device
