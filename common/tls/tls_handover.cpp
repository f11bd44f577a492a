#include "common/tls/tls_handover.hpp"

#include "common/tls/certificate.hpp"
#include "common/tls/record_plane.hpp"
#include "common/tls/tls_rehearsal.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string_view>

namespace device_streams {

namespace {

constexpr std::byte data_record{23};

std::optional<AeadSuite> suite_of(const SSL* connection) {
    switch (SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(connection))) {
        case 0x1301:
            return AeadSuite::aes_128_gcm;
        case 0x1302:
            return AeadSuite::aes_256_gcm;
        case 0x1303:
            return AeadSuite::chacha20_poly1305;
        default:
            return std::nullopt;
    }
}

int secrets_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// How many bytes; 0: it is no secret of TLS 1.3.
std::size_t decode(std::string_view hex, std::span<std::byte> into) {
    const auto size = hex.size() / 2;
    if (size > into.size()) return 0;
    for (std::size_t i = 0; i < size; ++i) {
        const int high = digit_of(hex[2 * i]), low = digit_of(hex[2 * i + 1]);
        if (high < 0 || low < 0) return 0;
        into[i] = static_cast<std::byte>(high * 16 + low);
    }
    return size;
}

// Later ones may treat their own records otherwise.
bool is_known_openssl() {
    return OPENSSL_version_major() == 3 && OPENSSL_version_minor() == 0;
}

std::string why_not() {
    if (!is_known_openssl())
        return "it is not tested with OpenSSL " + std::string(OpenSSL_version(OPENSSL_VERSION_STRING));
    if (EVP_default_properties_is_fips_enabled(nullptr) == 1) return "OpenSSL serves FIPS rules";
    return rehearse_handover();
}

const std::string& obstacle() {
    static const std::string found = why_not();
    return found;
}

}  // namespace

bool record_plane_works() {
    static const bool works = [] {
        if (!obstacle().empty()) spdlog::warn("The record plane stays off, OpenSSL does its work: {}.", obstacle());
        return obstacle().empty();
    }();
    return works;
}

std::string describe_record_plane(RecordPlaneMode mode) {
    if (mode == RecordPlaneMode::off) return "off";
    return obstacle().empty() ? aead_backend().name() : "off: " + obstacle();
}

std::string describe_tls() {
    return "record plane: " + describe_record_plane(RecordPlaneMode::automatic) + "\n" +
           OpenSSL_version(OPENSSL_VERSION);
}

void RecordCounter::add(ReadableBytes bytes) {
    while (!bytes.empty()) {
        const auto skipped = std::min(body_left_, bytes.size());
        body_left_ -= skipped;
        bytes = bytes.subspan(skipped);
        if (bytes.empty()) return;
        header_[header_size_++] = bytes.front();
        bytes = bytes.subspan(1);
        if (header_size_ == header_.size()) end_header();
    }
}

void RecordCounter::end_header() {
    header_size_ = 0;
    body_left_ = std::to_integer<std::size_t>(header_[3]) << 8 | std::to_integer<std::size_t>(header_[4]);
    if (header_[0] == data_record) ++data_records_;
}

TrafficSecrets::~TrafficSecrets() {
    OPENSSL_cleanse(client_.room.data(), client_.room.size());
    OPENSSL_cleanse(server_.room.data(), server_.room.size());
}

void TrafficSecrets::take(const char* line) noexcept {
    std::string_view rest = line;
    const auto label = rest.substr(0, rest.find(' '));
    const auto end = rest.rfind(' ');
    const auto secret = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    OneSecret* const into = label == "CLIENT_TRAFFIC_SECRET_0"   ? &client_
                            : label == "SERVER_TRAFFIC_SECRET_0" ? &server_
                                                                 : nullptr;
    if (into != nullptr)
        into->size = decode(secret, into->room);
    else if (label == "CLIENT_TRAFFIC_SECRET_N" || label == "SERVER_TRAFFIC_SECRET_N")
        renewed_ = true;
}

void tell_secrets(ssl_ctx_st* context) {
    SSL_CTX_set_keylog_callback(context, [](const SSL* connection, const char* line) {
        auto* const into = static_cast<TrafficSecrets*>(SSL_get_ex_data(connection, secrets_index()));
        if (into != nullptr) into->take(line);
    });
}

void collect_secrets(ssl_st* connection, TrafficSecrets& into) {
    SSL_set_ex_data(connection, secrets_index(), &into);
}

HandoverVerdict judge_handover(const ssl_st* connection, const TrafficSecrets& secrets, const Counted& counted) {
    if (SSL_version(connection) != TLS1_3_VERSION) return {Handover::never, "no TLS 1.3"};
    if (!suite_of(connection)) return {Handover::never, "another cipher suite"};
    if (SSL_SESSION_get_max_fragment_length(SSL_get_session(connection)) != TLSEXT_max_fragment_length_DISABLED)
        return {Handover::never, "a fragment length was agreed on"};
    if (secrets.renewed()) return {Handover::never, "the keys were renewed early"};
    if (secrets.client().empty() || secrets.server().empty()) return {Handover::never, "its secrets are not known"};
    const bool holds_bytes = SSL_has_pending(connection) == 1 || SSL_want(connection) == SSL_WRITING ||
                             SSL_get_key_update_type(connection) != SSL_KEY_UPDATE_NONE;
    if (holds_bytes || !counted.in.between_records() || !counted.out.between_records()) return {Handover::later};
    return {Handover::now};
}

std::unique_ptr<RecordLayer> make_record_plane(ssl_st* connection, bool is_server, const TrafficSecrets& secrets,
                                               const Counted& counted) {
    const auto suite = suite_of(connection).value();
    TrafficKeys reading(suite, is_server ? secrets.client() : secrets.server(), counted.in.data_records());
    TrafficKeys writing(suite, is_server ? secrets.server() : secrets.client(), counted.out.data_records());
    HandshakeFacts facts{SSL_session_reused(connection) == 1,
                         is_server ? client_certificate_of(connection) : std::nullopt,
                         export_channel_binding(connection)};
    return std::make_unique<RecordPlane>(RecordReader(std::move(reading), is_server), RecordWriter(std::move(writing)),
                                         std::move(facts));
}

std::optional<ChannelBinding> export_channel_binding(const ssl_st* connection) {
    // TLS 1.2 without extended master secret lets a man in the middle have the same bytes on both sides (RFC 7627).
    auto* const open = const_cast<SSL*>(connection);
    if (SSL_version(open) < TLS1_3_VERSION && SSL_get_extms_support(open) != 1) return std::nullopt;
    constexpr std::string_view label = "EXPORTER-Channel-Binding";
    ChannelBinding binding;
    const int made = SSL_export_keying_material(open, binding.data(), binding.size(), label.data(), label.size(),
                                                nullptr, 0, /*use_context=*/1);
    return made == 1 ? std::optional(binding) : std::nullopt;
}

}  // namespace device_streams
