#pragma once

#include "common/base/endpoint.hpp"
#include "common/base/proxy_url.hpp"
#include "common/http/head_guard.hpp"
#include "common/hub_access/proxy_dialogue.hpp"

#include <string>
#include <string_view>

namespace device_streams {

/// The request for a way through an HTTP proxy, and what its answer means (RFC 9110 section 9.3.6).
class ConnectRequest final : public ProxyDialogue {
 public:
    /// The authority of `target` as the proxy is told it. `proxy` is the caller's, and outlives this.
    ConnectRequest(const ProxyUrl& proxy, const Endpoint& target);

    std::string next_words() override;
    bool take(std::string_view bytes) override;
    [[noreturn]] void take_end() const override;

 private:
    [[noreturn]] void refuse(const std::string& head) const;
    std::string during() const;

    const ProxyUrl& proxy_;
    std::string target_;
    std::string words_;
    std::string answer_;
    http::HeadScanner scanner_;
};

}  // namespace device_streams
