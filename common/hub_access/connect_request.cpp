#include "common/hub_access/connect_request.hpp"

#include "common/base/error.hpp"
#include "common/base/version.hpp"
#include "common/http/connection.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <utility>

namespace device_streams {

namespace {

constexpr std::size_t longest_quote = 200;

std::string base64(std::string_view bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // with the zero that OpenSSL writes
    const auto size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

// What the proxy says in its own words, for logs.
std::string quoted(const http::Response& answer) {
    return std::to_string(answer.status) + (answer.reason.empty() ? "" : " " + answer.reason.substr(0, longest_quote));
}

bool offers_basic(std::string_view challenges) {
    constexpr std::string_view scheme = "basic";
    const auto same_letter = [](char a, char b) { return (a | 0x20) == b; };
    return std::search(challenges.begin(), challenges.end(), scheme.begin(), scheme.end(), same_letter) !=
           challenges.end();
}

// Without waiting for a whole head, which other servers never send.
void check_beginning(std::string_view answer) {
    constexpr std::string_view beginning = "HTTP/1.";
    if (answer.substr(0, beginning.size()) != beginning.substr(0, answer.size()))
        throw http::MessageError(400, "it does not speak HTTP/1");
}

std::string why_unauthorized(const http::Response& answer, bool had_credentials) {
    const auto challenges = answer.headers.find("Proxy-Authenticate");
    if (challenges && !offers_basic(*challenges))
        return "it takes other authentication than Basic, which is all that we have";
    return had_credentials ? "it does not accept user and password" : "it wants user and password";
}

}  // namespace

ConnectRequest::ConnectRequest(const ProxyUrl& proxy, const Endpoint& target)
    : proxy_(proxy), target_(target.to_string()) {
    http::Request request;
    request.method = "CONNECT";
    request.target = target_;
    request.headers.add("Host", target_);
    request.headers.add("User-Agent", std::string("device-streams/") + version);
    if (!proxy_.credentials.empty())
        request.headers.add("Proxy-Authorization", "Basic " + base64(proxy_.credentials.reveal()));
    words_ = http::serialize(request);
}

std::string ConnectRequest::next_words() {
    return std::exchange(words_, {});
}

std::string ConnectRequest::during() const {
    return proxy_.to_string() + " was asked for " + target_;
}

bool ConnectRequest::take(std::string_view bytes) {
    answer_ += bytes;
    for (;;) {
        try {
            const auto size = scanner_.scan(answer_);
            check_beginning(answer_);
            if (!size) return false;
            const auto head = answer_.substr(0, *size);
            answer_.erase(0, *size);
            scanner_ = http::HeadScanner();
            const auto status = http::parse_response_head(head).status;
            if (status < 200 && status != 101) continue;
            if (status < 200 || status > 299) refuse(head);
            if (!answer_.empty()) throw http::MessageError(400, "more than an answer");
            return true;
        } catch (const http::MessageError& malformed) {
            throw Failure(Errc::proxy_garbage, during() + ": " + malformed.what());
        }
    }
}

void ConnectRequest::take_end() const {
    throw Failure(Errc::proxy_garbage, during() + ": it closed the connection");
}

void ConnectRequest::refuse(const std::string& head) const {
    const auto answer = http::parse_response_head(head);
    auto said = during() + " and answered " + quoted(answer);
    if (answer.status == 407 || answer.status == 401)  // so tinyproxy says that a password is wrong
        throw Failure(Errc::proxy_unauthorized, said + ": " + why_unauthorized(answer, !proxy_.credentials.empty()));
    if (answer.status >= 500) throw Failure(Errc::proxy_found_no_hub, said);
    if (answer.status >= 400) throw Failure(Errc::proxy_refused, said);
    throw Failure(Errc::proxy_garbage, said);
}

}  // namespace device_streams
