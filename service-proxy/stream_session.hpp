#pragma once

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/service_client/stream_initiator.hpp"
#include "common/tunnel/relay.hpp"
#include "common/tunnel/stream_id.hpp"
#include "service-proxy/service_proxy_config.hpp"

#include <memory>
#include <optional>
#include <string>

namespace device_streams::service {

/// What every stream needs; a stream keeps what it started with when the settings change.
struct StreamTools {
    std::shared_ptr<StreamInitiator> initiator;
    RelayLimits relay;
    Clock& clock;
    Log log;
};

/// One stream between a local client and a service on a device, from the request to the log line at its end.
class StreamSession {
 public:
    /// `client` says in logs who asked: an address, or "stdio".
    StreamSession(StreamTools tools, const Forward& forward, const std::string& client);

    /// Instead of open(): logs why the client gets no stream.
    void refuse(const Failure& refusal);
    /// Asks for the stream. Null when that failed, when the client left (`until_client_leaves` throws StreamError) or
    /// on cancellation; the log has the reason then, and the caller ends its client at once.
    asio::awaitable<std::unique_ptr<ws::WsStream>> open(asio::awaitable<void> until_client_leaves);
    /// Relays until the stream is over. True when it ended cleanly.
    asio::awaitable<bool> carry(ByteStream& local, std::unique_ptr<ws::WsStream> stream);
    /// Why there was no stream, or how it ended when it did not end cleanly; nullopt: neither, or the client has left.
    const std::optional<Failure>& failure() const { return failure_; }

 private:
    void log_end(const RelayResult& result, LogLevel level, Clock::duration length) const;
    void log_no_stream(const std::exception_ptr& failure);

    const StreamTools tools_;
    const Forward forward_;
    const StreamName name_;
    const Log log_;
    std::optional<Failure> failure_;
};

}  // namespace device_streams::service
