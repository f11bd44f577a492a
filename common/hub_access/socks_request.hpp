#pragma once

#include "common/base/endpoint.hpp"
#include "common/base/error.hpp"
#include "common/base/proxy_url.hpp"
#include "common/hub_access/proxy_dialogue.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace device_streams {

/// The request for a way through a SOCKS 5 proxy (RFC 1928), with user and password where the proxy wants them (RFC
/// 1929). Names go to the proxy as they are.
class SocksRequest final : public ProxyDialogue {
 public:
    /// `proxy` is the caller's, and outlives this.
    SocksRequest(const ProxyUrl& proxy, Endpoint target);

    std::string next_words() override;
    /// Each reply code becomes a Failure of its own words; a name that is too long for SOCKS is proxy_refused.
    bool take(std::string_view bytes) override;
    [[noreturn]] void take_end() const override;

 private:
    enum class Step { method, login, reply };

    bool take_method();
    bool take_login();
    bool take_reply();
    void ask_for_target();
    [[noreturn]] void fail(Errc code, const std::string& why) const;
    std::uint8_t at(std::size_t index) const { return static_cast<std::uint8_t>(answer_[index]); }

    const ProxyUrl& proxy_;
    Endpoint target_;
    Step step_ = Step::method;
    std::string words_;
    std::string answer_;  // what came and has not been understood yet
};

}  // namespace device_streams
