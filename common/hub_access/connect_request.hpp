#pragma once

#include "common/base/endpoint.hpp"
#include "common/http/head_guard.hpp"
#include "common/hub_access/http_proxy.hpp"

#include <string>
#include <string_view>

namespace device_streams {

/// The request for a way through an HTTP proxy, and what its answer means; without I/O.
class ConnectRequest {
 public:
    /// The authority of `target` as the proxy is told it.
    ConnectRequest(const HttpProxy& proxy, const Endpoint& target);

    /// What is sent first; holds the credentials.
    std::string text() const;
    /// Takes bytes of the answer; true once the way is open. Throws Failure: proxy_unauthorized, proxy_refused,
    /// proxy_found_no_hub by the answer's status, or proxy_garbage for what is no answer, is too long, or goes on
    /// behind its head, where nothing may come before we have spoken to the hub.
    bool take(std::string_view bytes);

 private:
    [[noreturn]] void refuse(const std::string& head) const;
    std::string during() const;

    const ProxyUrl& proxy_;
    std::string target_;
    std::string answer_;
    http::HeadScanner scanner_;
};

}  // namespace device_streams
