#include "common/hub_access/outward_proxy.hpp"

#include "common/async/join.hpp"
#include "common/base/error.hpp"
#include "common/hub_access/connect_request.hpp"
#include "common/hub_access/dial_out.hpp"
#include "common/hub_access/socks_request.hpp"
#include "common/tls/tls_raw_connection.hpp"

#include <array>

namespace device_streams {

namespace {

// What a step's failure is told as.
struct Trouble {
    std::string during;
    Errc late, otherwise;
};

Failure proxy_failure(const std::exception_ptr& cause, const Trouble& trouble) {
    try {
        std::rethrow_exception(cause);
    } catch (const Failure& known) {
        const bool of_tls = known.errc() == Errc::hub_tls_failed || known.errc() == Errc::hub_untrusted ||
                            known.errc() == Errc::certificate_expired;
        return of_tls ? Failure(trouble.otherwise, trouble.during + ": " + known.detail()) : known;
    } catch (const std::system_error& known) {
        if (known.code() == asio::error::no_descriptors) return {Errc::out_of_descriptors, trouble.during};
        const auto code = known.code() == asio::error::timed_out ? trouble.late : trouble.otherwise;
        return {code, trouble.during + ": " + known.what()};
    }
}

asio::awaitable<std::unique_ptr<RawConnection>> dial_tcp(Endpoint where, ProxyLimits limits, Clock& clock) {
    auto socket = co_await dial_out(std::move(where), limits.mss, clock);
    socket.give_up_after(limits.dead_after);
    co_return std::make_unique<Socket>(std::move(socket));
}

asio::awaitable<std::unique_ptr<RawConnection>> add_tls(std::unique_ptr<RawConnection> connection,
                                                        const OutwardProxy& proxy) {
    auto stream = std::make_unique<TlsStream>(std::move(connection), proxy.tls, proxy.url.endpoint.host);
    co_await stream->handshake();
    co_return std::make_unique<TlsRawConnection>(std::move(stream));
}

asio::awaitable<void> send_all(RawConnection& connection, const std::string& text) {
    for (auto rest = std::as_bytes(std::span(text)); !rest.empty();) {
        const auto sent = connection.try_send(rest);
        rest = rest.subspan(sent);
        if (sent == 0) co_await connection.wait_writable();
    }
}

std::unique_ptr<ProxyDialogue> make_dialogue(const ProxyUrl& proxy, const Endpoint& target) {
    if (proxy.kind == ProxyKind::socks5) return std::make_unique<SocksRequest>(proxy, target);
    return std::make_unique<ConnectRequest>(proxy, target);
}

asio::awaitable<void> ask(RawConnection& connection, std::unique_ptr<ProxyDialogue> dialogue) {
    co_await send_all(connection, dialogue->next_words());
    std::array<std::byte, 1024> room;
    for (;;) {
        const auto size = connection.try_recv(room);
        if (size == 0) dialogue->take_end();
        if (size && dialogue->take({reinterpret_cast<const char*>(room.data()), *size})) co_return;
        co_await send_all(connection, dialogue->next_words());
        if (!size) co_await connection.wait_readable();
    }
}

// One step, within its limit; what goes wrong becomes a Failure.
template <typename T>
asio::awaitable<T> step(asio::awaitable<T> work, Clock::duration limit, Clock& clock, Trouble trouble) {
    try {
        co_return co_await with_timeout(std::move(work), limit, clock);
    } catch (...) {
        const auto cause = std::current_exception();
        if (is_cancellation(cause)) throw;
        throw proxy_failure(cause, trouble);
    }
}

}  // namespace

std::shared_ptr<const OutwardProxy> make_outward_proxy(const std::optional<ProxyUrl>& url, const NoProxy& except,
                                                       const std::string& ca_file) {
    if (!url) return nullptr;
    return std::make_shared<OutwardProxy>(OutwardProxy{
        .url = *url,
        .except = except,
        .tls =
            url->kind == ProxyKind::https ? TlsContext::client(ca_file, std::nullopt, RecordPlaneMode::off) : nullptr});
}

bool same_proxy(const std::shared_ptr<const OutwardProxy>& one, const std::shared_ptr<const OutwardProxy>& other) {
    if (!one || !other) return one == other;
    return one->url == other->url && one->except == other->except;
}

asio::awaitable<std::unique_ptr<RawConnection>> dial_through(std::shared_ptr<const OutwardProxy> proxy, Endpoint target,
                                                             ProxyLimits limits, Clock& clock) {
    const auto name = proxy->url.to_string();
    Trouble trouble{"connecting to " + name, Errc::proxy_unreachable, Errc::proxy_unreachable};
    auto dialling = dial_tcp(proxy->url.endpoint, limits, clock);
    auto connection = co_await step(std::move(dialling), limits.step, clock, trouble);
    if (proxy->url.kind == ProxyKind::https) {
        trouble = {name, Errc::proxy_tls_failed, Errc::proxy_tls_failed};
        auto adding = add_tls(std::move(connection), *proxy);
        connection = co_await step(std::move(adding), limits.step, clock, trouble);
    }
    trouble = {name + " was asked for " + target.to_string(), Errc::proxy_timeout, Errc::proxy_garbage};
    auto asking = ask(*connection, make_dialogue(proxy->url, target));
    co_await step(std::move(asking), limits.step, clock, trouble);
    co_return connection;
}

}  // namespace device_streams
