#pragma once

#include "common/iothub/sas_token.hpp"
#include "common/ws/ws_stream.hpp"
#include "tests/component/support/background.hpp"
#include "tests/component/support/hub_service_client.hpp"

#include <future>
#include <optional>

namespace device_streams::test {

using hub_clients::HubAddress;
using hub_clients::ServiceClient;
using hub_clients::Ticket;

/// The service's leg of a stream, for a blocking test.
class ServiceStream {
 public:
    using Strand = asio::strand<asio::any_io_executor>;
    ServiceStream(Background& background, Strand strand, std::unique_ptr<ws::WsStream> stream)
        : background_(&background), strand_(std::move(strand)), stream_(std::move(stream)) {}
    ServiceStream(ServiceStream&&) = default;
    ServiceStream& operator=(ServiceStream&&) = default;
    ~ServiceStream() {
        if (stream_) background_->wait_for(strand_, drop(std::move(stream_)));
    }

    void send(const std::string& text) { background_->wait_for(strand_, write_text(*stream_, text)); }
    void finish() { background_->wait_for(strand_, stream_->finish()); }
    /// Exactly `size` bytes, fewer if the direction ends first.
    std::string receive(std::size_t size) { return background_->wait_for(strand_, read(*stream_, size)); }
    /// "end", or how the leg broke. Drops bytes before it.
    std::string how_it_ends() { return background_->wait_for(strand_, read_to_end(*stream_)); }

 private:
    static asio::awaitable<void> drop(std::unique_ptr<ws::WsStream> stream) {
        stream->abort(CloseReason::cancelled);
        co_return;
    }
    static asio::awaitable<std::string> read(ByteStream& stream, std::size_t size) {
        std::string text(size, '\0');
        std::size_t done = 0;
        while (done < size) {
            const auto part = co_await stream.read_some(std::as_writable_bytes(std::span(text)).subspan(done));
            if (part == 0) break;
            done += part;
        }
        text.resize(done);
        co_return text;
    }
    static asio::awaitable<std::string> read_to_end(ByteStream& stream) {
        try {
            while (!(co_await read(stream, 4096)).empty()) {
            }
        } catch (const StreamError& failure) {
            co_return std::string(to_string(failure.close_reason()));
        }
        co_return "end";
    }

    Background* background_;
    Strand strand_;
    std::unique_ptr<ws::WsStream> stream_;
};

/// What came of asking for a stream.
struct AskedStream {
    int status = 0;                       ///< of HTTP
    std::string accepted;                 ///< True, False or empty
    std::optional<ServiceStream> stream;  ///< when accepted
};

/// Asks the hub for streams, one connection for each, for a blocking test.
class StreamClient {
 public:
    StreamClient(Background& background, HubAddress address, const Secret& service_key)
        : background_(background),
          address_(std::move(address)),
          token_(iothub::make_sas_token(address_.host, service_key, SystemClock().unix_seconds() + 3600, "service")) {}

    /// `target` as in the path: "dev-01" or "dev-01/modules/m"; the hub waits `connect_timeout` seconds for the device.
    AskedStream open(const std::string& target, const std::string& name, int connect_timeout) {
        return begin(target, name, connect_timeout).get();
    }
    /// The same without waiting; the client must outlive it.
    std::future<AskedStream> begin(const std::string& target, const std::string& name, int connect_timeout) {
        auto strand = asio::make_strand(asio::any_io_executor(background_.io.get_executor()));
        return asio::co_spawn(strand, ask(strand, target, name, connect_timeout), asio::use_future);
    }

 private:
    asio::awaitable<AskedStream> ask(ServiceStream::Strand strand, std::string target, std::string name, int connect) {
        ServiceClient service(address_, token_);
        http::Headers headers;
        headers.add("iothub-streaming-connect-timeout-in-seconds", std::to_string(connect));
        headers.add("iothub-streaming-response-timeout-in-seconds", "20");
        headers.add("iothub-streaming-features", "half-close,big-frames");
        const auto answer = co_await service.ask(target, name, std::move(headers));
        AskedStream asked;
        asked.status = answer.status;
        asked.accepted = answer.headers.find("iothub-streaming-is-accepted").value_or("");
        if (asked.accepted == "True") {
            auto stream = co_await open_leg(hub_clients::ticket_of(answer));
            asked.stream.emplace(background_, strand, std::move(stream));
        }
        co_return asked;
    }
    asio::awaitable<std::unique_ptr<ws::WsStream>> open_leg(Ticket ticket) {
        const auto url = iothub::parse_stream_url(ticket.url);
        auto transport = co_await hub_clients::dial_tls(address_, url.value().port);
        http::Connection connection(std::move(transport));
        ws::ClientHandshake handshake;
        handshake.host = address_.host;
        handshake.target = url.value().target;
        handshake.extra.add("Authorization", "Bearer " + std::string(ticket.token.reveal()));
        const auto upgraded = co_await ws::upgrade(connection, std::move(handshake));
        if (upgraded.status != 101) throw std::runtime_error("the hub refused the service's leg");
        std::vector<std::byte> early;
        auto released = connection.release(early);
        ws::WsOptions options;
        options.half_close = true;
        co_return std::make_unique<ws::WsStream>(std::move(released), options, std::move(early));
    }

    Background& background_;
    HubAddress address_;
    Secret token_;
};

}  // namespace device_streams::test
