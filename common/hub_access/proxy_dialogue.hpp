#pragma once

#include <string>
#include <string_view>

namespace device_streams {

/// What is said to a proxy to be let through, and what its answers mean; without I/O.
class ProxyDialogue {
 public:
    ProxyDialogue() = default;
    ProxyDialogue(const ProxyDialogue&) = delete;
    ProxyDialogue& operator=(const ProxyDialogue&) = delete;
    virtual ~ProxyDialogue() = default;

    /// What is to be sent now, once: first at the start, then after each take(). May hold the credentials; empty:
    /// nothing.
    virtual std::string next_words() = 0;
    /// Takes bytes of the answer; true once the way is open. Throws Failure: proxy_unauthorized, proxy_refused or
    /// proxy_found_no_hub as the proxy says, or proxy_garbage for what is no answer, or goes on behind its end, where
    /// nothing may come before we have spoken to the hub.
    virtual bool take(std::string_view bytes) = 0;
    /// Throws the Failure that it is when the proxy closes the connection now.
    [[noreturn]] virtual void take_end() const = 0;
};

}  // namespace device_streams
