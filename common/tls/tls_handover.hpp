#pragma once

#include "common/base/record_plane_mode.hpp"
#include "common/net/byte_stream.hpp"
#include "common/tls/record_layer.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace device_streams {

/// Who protects the records of TLS 1.3 here: "ipsec-mb 1.3.0" or "evp" for our record plane, or "off" and why.
std::string describe_record_plane(RecordPlaneMode mode);
/// Lines for `--version --verbose`: the record plane, and OpenSSL with its version.
std::string describe_tls();
/// Connections may be handed over at all: this version of OpenSSL is known, it serves no FIPS rules, and a rehearsal in
/// memory went well. Found out once; the first to ask logs what went wrong.
bool record_plane_works();

/// Counts records in one direction of a connection, in pieces of any size.
class RecordCounter {
 public:
    void add(ReadableBytes bytes);
    /// Of the type of protected records (RFC 8446 section 5.2).
    std::uint64_t data_records() const { return data_records_; }
    bool between_records() const { return header_size_ == 0 && body_left_ == 0; }
    void start_again() { data_records_ = 0; }

 private:
    void end_header();

    std::array<std::byte, 5> header_{};
    std::size_t header_size_ = 0, body_left_ = 0;
    std::uint64_t data_records_ = 0;
};

/// The secrets of one connection, as OpenSSL tells them; wiped when dropped.
class TrafficSecrets {
 public:
    TrafficSecrets() = default;
    ~TrafficSecrets();
    TrafficSecrets(const TrafficSecrets&) = delete;
    TrafficSecrets& operator=(const TrafficSecrets&) = delete;

    /// From a line of the key log: "<label> <32 bytes> <secret>", in hex.
    void take(const char* line) noexcept;
    ReadableBytes client() const { return client_.bytes(); }
    ReadableBytes server() const { return server_.bytes(); }
    /// Other keys are in use by now: these are of no use.
    bool renewed() const { return renewed_; }

 private:
    struct OneSecret {
        std::array<std::byte, 48> room{};
        std::size_t size = 0;
        ReadableBytes bytes() const { return std::span(room).first(size); }
    };
    OneSecret client_, server_;
    bool renewed_ = false;
};
/// Of a context, once: connections may collect their secrets.
void tell_secrets(ssl_ctx_st* context);
/// Of a connection, before its handshake; `into` outlives it.
void collect_secrets(ssl_st* connection, TrafficSecrets& into);

/// Whether a connection whose handshake is over can be handed over.
enum class Handover { now, later, never };
struct HandoverVerdict {
    Handover when;
    const char* why = nullptr;  ///< of `never`
};
struct Counted {
    RecordCounter in, out;  ///< since the handshake's end
};
/// `later`: OpenSSL has bytes in hand that cannot be got out of it.
HandoverVerdict judge_handover(const ssl_st* connection, const TrafficSecrets& secrets, const Counted& counted);
/// The record plane that goes on where OpenSSL stands; judge_handover() has said `now`. Everything is known to be sent
/// or received that OpenSSL has written or read, and the caller frees `connection` next. Throws std::runtime_error or
/// std::bad_alloc.
std::unique_ptr<RecordLayer> make_record_plane(ssl_st* connection, bool is_server, const TrafficSecrets& secrets,
                                               const Counted& counted);

/// 32 bytes as Transport::channel_binding().
std::optional<ChannelBinding> export_channel_binding(const ssl_st* connection);

}  // namespace device_streams
