#include "common/hub_access/socks_request.hpp"

#include "common/base/ip_network.hpp"

#include <array>
#include <utility>

namespace device_streams {

namespace {

constexpr char socks_version = 5, login_version = 1, connect = 1, reserved = 0;
constexpr std::uint8_t no_login = 0, by_password = 2, no_method = 0xff;
constexpr std::uint8_t ipv4 = 1, domain_name = 3, ipv6 = 4;
constexpr std::size_t longest = 255;

std::string counted(std::string_view text) {
    return static_cast<char>(text.size()) + std::string(text);
}

template <typename Bytes>
std::string as_text(const Bytes& bytes) {
    return {bytes.begin(), bytes.end()};
}

// Type and bytes of an address, as requests have it.
std::string address_of(const std::string& host) {
    const auto address = parse_ip_address(host);
    if (!address) return static_cast<char>(domain_name) + counted(host);
    if (address->is_v4()) return static_cast<char>(ipv4) + as_text(address->to_v4().to_bytes());
    return static_cast<char>(ipv6) + as_text(address->to_v6().to_bytes());
}

struct Refusal {
    Errc code;
    std::string_view words;
};

// By the number of RFC 1928 section 6.
constexpr std::array refusals{
    Refusal{Errc::proxy_garbage, ""},
    Refusal{Errc::proxy_found_no_hub, "general failure"},
    Refusal{Errc::proxy_refused, "not allowed by its rules"},
    Refusal{Errc::proxy_found_no_hub, "network unreachable"},
    Refusal{Errc::proxy_found_no_hub, "host unreachable"},
    Refusal{Errc::proxy_found_no_hub, "connection refused"},
    Refusal{Errc::proxy_found_no_hub, "time to live expired"},
    Refusal{Errc::proxy_refused, "it opens no connections to others"},
    Refusal{Errc::proxy_refused, "it takes no addresses of this kind; hub.address may name another"},
};

}  // namespace

SocksRequest::SocksRequest(const ProxyUrl& proxy, Endpoint target) : proxy_(proxy), target_(std::move(target)) {
    words_ = {socks_version, 1, no_login};
    if (!proxy_.credentials.empty()) words_ = {socks_version, 2, no_login, by_password};
}

std::string SocksRequest::next_words() {
    return std::exchange(words_, {});
}

bool SocksRequest::take(std::string_view bytes) {
    answer_ += bytes;
    if (step_ == Step::method && !take_method()) return false;
    if (step_ == Step::login && !take_login()) return false;
    return take_reply();
}

void SocksRequest::take_end() const {
    if (step_ == Step::login) fail(Errc::proxy_unauthorized, "it closed the connection when it had user and password");
    if (step_ == Step::reply)
        fail(Errc::proxy_found_no_hub, "it closed the connection, as ssh -D does when it does not reach the target");
    fail(Errc::proxy_garbage, "it closed the connection");
}

bool SocksRequest::take_method() {
    if (!answer_.empty() && answer_.front() != socks_version) fail(Errc::proxy_garbage, "it does not speak SOCKS 5");
    if (answer_.size() < 2) return false;
    const auto method = at(1);
    const bool has_credentials = !proxy_.credentials.empty();
    if (method == no_method)
        fail(Errc::proxy_unauthorized,
             has_credentials ? "it takes other authentication than user and password, which is all that we have"
                             : "it wants user and password, or other authentication");
    if (method != no_login && !(method == by_password && has_credentials))
        fail(Errc::proxy_garbage, "it chose an authentication that it was not offered");
    answer_.erase(0, 2);
    if (method == no_login) {
        ask_for_target();
        return true;
    }
    const auto both = proxy_.credentials.reveal();
    const auto colon = both.find(':');
    words_ += login_version + counted(both.substr(0, colon)) + counted(both.substr(colon + 1));
    step_ = Step::login;
    return true;
}

bool SocksRequest::take_login() {
    if (answer_.size() < 2) return false;
    // The version in front is not looked at: there are proxies that send that of SOCKS.
    if (at(1) != 0) fail(Errc::proxy_unauthorized, "it does not accept user and password");
    answer_.erase(0, 2);
    ask_for_target();
    return true;
}

void SocksRequest::ask_for_target() {
    if (target_.host.size() > longest) fail(Errc::proxy_refused, "the name is too long for SOCKS");
    words_ += std::string{socks_version, connect, reserved} + address_of(target_.host);
    words_ += {static_cast<char>(target_.port >> 8), static_cast<char>(target_.port & 0xff)};
    step_ = Step::reply;
}

bool SocksRequest::take_reply() {
    if (!answer_.empty() && answer_.front() != socks_version)
        fail(Errc::proxy_garbage, "its reply is not one of SOCKS 5");
    if (answer_.size() < 2) return false;
    // What follows a refusal says nothing, and some send less of it than they must.
    if (const auto code = at(1); code != 0) {
        const bool known = code < refusals.size();
        fail(known ? refusals[code].code : Errc::proxy_garbage,
             "it answered with " + std::to_string(code) +
                 (known ? " (" + std::string(refusals[code].words) + ")" : ", which SOCKS 5 does not know"));
    }
    if (answer_.size() < 5) return false;
    const auto type = at(3);
    if (type != ipv4 && type != ipv6 && type != domain_name)
        fail(Errc::proxy_garbage, "its reply has an address of unknown kind");
    const std::size_t address = type == ipv4 ? 4 : type == ipv6 ? 16 : 1 + at(4);
    const auto whole = 4 + address + 2;
    if (answer_.size() < whole) return false;
    if (answer_.size() > whole) fail(Errc::proxy_garbage, "more than an answer");
    return true;
}

void SocksRequest::fail(Errc code, const std::string& why) const {
    throw Failure(code, proxy_.to_string() + " was asked for " + target_.to_string() + ": " + why);
}

}  // namespace device_streams
