#include "common/ws/handshake.hpp"

#include "common/base/error.hpp"
#include "common/text/parts.hpp"

#include <openssl/rand.h>
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/extensions/permessage_deflate/disabled.hpp>
#include <websocketpp/http/request.hpp>
#include <websocketpp/http/response.hpp>
#include <websocketpp/message_buffer/alloc.hpp>
#include <websocketpp/message_buffer/message.hpp>
#include <websocketpp/processors/hybi13.hpp>

#include <algorithm>
#include <array>

namespace device_streams::ws {

namespace {

constexpr std::string_view protocol_version = "13";

struct SystemRandom {
    std::uint32_t operator()() {
        std::uint32_t value = 0;
        if (RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value) != 1)
            throw Failure(Errc::internal, "the system gives no random bytes");
        return value;
    }
};

// What websocketpp's protocol core wants to know; its endpoints and transports are not used.
struct CoreConfig {
    using request_type = websocketpp::http::parser::request;
    using response_type = websocketpp::http::parser::response;
    using message_type = websocketpp::message_buffer::message<websocketpp::message_buffer::alloc::con_msg_manager>;
    using con_msg_manager_type = websocketpp::message_buffer::alloc::con_msg_manager<message_type>;
    using rng_type = SystemRandom;
    struct permessage_deflate_config {};
    using permessage_deflate_type = websocketpp::extensions::permessage_deflate::disabled<permessage_deflate_config>;
    static const std::size_t max_message_size = 0;
    static const bool enable_extensions = false;
};

struct Core {
    explicit Core(bool is_server) : processor(true, is_server, nullptr, random) {}
    SystemRandom random;
    websocketpp::processor::hybi13<CoreConfig> processor;
};

CoreConfig::request_type core_request(const http::Request& request) {
    CoreConfig::request_type copy;
    copy.set_method(request.method);
    copy.set_uri(request.target);
    copy.set_version(request.minor_version == 1 ? "HTTP/1.1" : "HTTP/1.0");
    for (const auto& [name, value] : request.headers.fields()) copy.append_header(name, value);
    return copy;
}

CoreConfig::response_type core_response(const http::Response& response) {
    CoreConfig::response_type copy;
    copy.set_status(static_cast<websocketpp::http::status_code::value>(response.status));
    for (const auto& [name, value] : response.headers.fields()) copy.append_header(name, value);
    return copy;
}

http::Response refusal(int status, std::string text) {
    http::Response response;
    response.status = status;
    response.headers.add("Content-Type", "text/plain");
    if (status == 426) {
        response.headers.add("Upgrade", "websocket");
        response.headers.add("Sec-WebSocket-Version", std::string(protocol_version));
    }
    response.body = std::move(text);
    response.keep_alive = false;
    return response;
}

// 16 bytes in base64.
bool is_handshake_key(std::string_view key) {
    return key.size() == 24 && websocketpp::base64_decode(std::string(key)).size() == 16;
}

bool names_upgrade(const http::Headers& headers) {
    return headers.has_token("Upgrade", "websocket") && headers.has_token("Connection", "Upgrade");
}

http::Request make_request(const ClientHandshake& ask) {
    std::array<unsigned char, 16> nonce;
    if (RAND_bytes(nonce.data(), nonce.size()) != 1) throw Failure(Errc::internal, "the system gives no random bytes");
    http::Request request;
    request.method = "GET";
    request.target = ask.target;
    request.headers = {{"Host", ask.host},
                       {"Upgrade", "websocket"},
                       {"Connection", "Upgrade"},
                       {"Sec-WebSocket-Version", std::string(protocol_version)},
                       {"Sec-WebSocket-Key", websocketpp::base64_encode(nonce.data(), nonce.size())}};
    if (!ask.subprotocol.empty()) request.headers.add("Sec-WebSocket-Protocol", ask.subprotocol);
    for (const auto& [name, value] : ask.extra.fields()) request.headers.add(name, value);
    return request;
}

void check_answer(const http::Request& request, const http::Response& response, const std::string& subprotocol) {
    const auto wrong = [](const char* what) { return StreamError(CloseReason::protocol_violation, what); };
    if (!names_upgrade(response.headers)) throw wrong("the 101 answer does not upgrade to a WebSocket");
    Core core(false);
    auto answer = core_response(response);
    if (core.processor.validate_server_handshake_response(core_request(request), answer))
        throw wrong("the 101 answer's accept hash is wrong");
    if (response.headers.find("Sec-WebSocket-Extensions")) throw wrong("the 101 answer has an unasked extension");
    const auto chosen = response.headers.find("Sec-WebSocket-Protocol");
    if (chosen && *chosen != subprotocol) throw wrong("the 101 answer has an unasked subprotocol");
}

}  // namespace

asio::awaitable<http::Response> upgrade(http::Connection& connection, ClientHandshake ask) {
    const auto request = make_request(ask);
    auto response = co_await connection.exchange(request);
    if (response.status == 101) check_answer(request, response, ask.subprotocol);
    co_return response;
}

bool is_upgrade(const http::Request& request) {
    return request.headers.has_token("Upgrade", "websocket") || request.headers.find("Sec-WebSocket-Key");
}

http::Response answer_upgrade(const http::Request& request, const std::string& subprotocol) {
    if (!names_upgrade(request.headers))
        return refusal(426, "Upgrade: websocket and Connection: Upgrade are missing; a proxy may have removed them\n");
    if (request.headers.find("Sec-WebSocket-Version") != protocol_version)
        return refusal(426, "the WebSocket version is 13\n");
    const auto key = request.headers.find("Sec-WebSocket-Key");
    if (!key || !is_handshake_key(*key)) return refusal(400, "Sec-WebSocket-Key is not 16 bytes in base64\n");
    if (!request.body.empty()) return refusal(400, "an upgrade has no body\n");
    Core core(true);
    const auto asked = core_request(request);
    if (core.processor.validate_handshake(asked)) return refusal(400, "an upgrade is GET with HTTP/1.1\n");
    CoreConfig::response_type answer;
    if (core.processor.process_handshake(asked, subprotocol, answer)) return refusal(400, "the upgrade is malformed\n");
    http::Response response;
    response.status = 101;
    for (const auto& [name, value] : answer.get_headers()) response.headers.add(name, value);
    return response;
}

std::string first_subprotocol(const http::Request& request) {
    auto offered = request.headers.find("Sec-WebSocket-Protocol").value_or("");
    return std::string(trim(take_until(offered, ',')));
}

std::string accept_hash(const std::string& key) {
    const auto text = key + websocketpp::processor::constants::handshake_guid;
    std::array<unsigned char, 20> digest;
    websocketpp::sha1::calc(text.data(), text.size(), digest.data());
    return websocketpp::base64_encode(digest.data(), digest.size());
}

}  // namespace device_streams::ws
