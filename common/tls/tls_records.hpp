#pragma once

#include "common/tls/tls_traffic_keys.hpp"

#include <optional>
#include <vector>

namespace device_streams {

/// What one end tells the other at the end (RFC 8446 section 6); any other number may come from a peer.
enum class TlsAlert : std::uint8_t {
    close_notify = 0,
    unexpected_message = 10,
    bad_record_mac = 20,
    record_overflow = 22,
    illegal_parameter = 47,
    decode_error = 50,
    internal_error = 80,
    user_canceled = 90,
};

constexpr std::size_t record_header_size = 5;
constexpr std::size_t largest_content = 1 << 14;                                    ///< of a record, in bytes
constexpr std::size_t largest_record = record_header_size + largest_content + 256;  ///< with header and tag
/// What a record adds to its content when we seal it: header, type and tag.
constexpr std::size_t record_overhead = record_header_size + 1 + aead_tag_size;

/// The incoming records of a TLS 1.3 connection behind its handshake (RFC 8446 section 5). No I/O: it is given
/// ciphertext and gives what was in it.
class RecordReader {
 public:
    /// A server takes no session tickets; a client skips them.
    RecordReader(TrafficKeys keys, bool is_server) : keys_(std::move(keys)), is_server_(is_server) {}

    struct Step {
        std::size_t consumed = 0;  ///< of the ciphertext: whole records
        std::size_t produced = 0;  ///< of `into`
    };
    /// Takes complete records from the front of `ciphertext` for as long as there is room in `into`, and a turn's worth
    /// of records without data: see turn_over(). Behind `produced` lies garbage. Throws std::bad_alloc.
    Step read(std::span<const std::byte> ciphertext, std::span<std::byte> into);

    /// Plaintext for which there was no room is here; read() gives it first.
    bool holds_plaintext() const { return held_from_ < held_.size(); }
    /// The peer has said its goodbye; what came behind it is not looked at.
    bool closed() const { return closed_; }
    /// What the peer has ended the connection with, if not with a goodbye.
    std::optional<TlsAlert> peer_alert() const { return peer_alert_; }
    /// What the peer is to be told, as it broke the protocol. Nothing more is read.
    std::optional<TlsAlert> refusal() const { return refusal_; }
    bool over() const { return closed_ || peer_alert_ || refusal_; }
    /// The last read() stopped because of records that carried no data. There may be more.
    bool turn_over() const { return turn_ >= messages_per_turn; }
    /// Once for all requests to renew our keys that came since the last call (RFC 8446 section 4.6.3).
    bool take_key_update_request();

    static constexpr int messages_per_turn = 32;
    static constexpr int most_empty_records = 32;  ///< in a row, as OpenSSL

 private:
    struct Record;
    std::optional<Record> next_record(std::span<const std::byte> ciphertext);
    bool open(AeadBatch& batch, const Record& record, std::byte* out, std::size_t& size, std::byte& type);
    std::size_t take_data(std::span<const std::byte> content, std::span<std::byte> into, bool in_place);
    void take(std::byte type, std::span<const std::byte> content);
    void take_alert(std::span<const std::byte> content);
    void take_handshake(std::span<const std::byte> content);
    void take_message_header(bool ends_record);
    void note_empty();
    std::size_t give_held(std::span<std::byte> into);
    void refuse(TlsAlert alert);

    TrafficKeys keys_;
    bool is_server_;
    bool closed_ = false, key_update_requested_ = false, keys_updated_ = false;
    std::optional<TlsAlert> peer_alert_, refusal_;
    std::vector<std::byte> held_;
    std::size_t held_from_ = 0;
    int turn_ = 0, empty_records_ = 0;
    std::array<std::byte, 5> message_{};  // the front of a handshake message: type, length and a KeyUpdate's body
    std::size_t message_size_ = 0;        // how much of it is here; 0: between messages
    std::size_t skipping_ = 0;            // of a ticket's body
};

/// The outgoing records. No I/O: what it seals must be sent, in this order, or nothing more at all.
class RecordWriter {
 public:
    /// An AES-GCM key protects 2^34 blocks of 16 bytes at most, 2^24 full records (RFC 8446 section 5.5).
    static constexpr std::uint64_t blocks_per_key = std::uint64_t{1} << 34;
    explicit RecordWriter(TrafficKeys keys, std::uint64_t most_blocks = blocks_per_key)
        : keys_(std::move(keys)), most_blocks_(most_blocks) {}

    /// How many bytes seal() makes of so many, at most.
    std::size_t sealed_size(std::size_t plain) const;
    /// Records of at most 16 KiB, and before them what is due to the peer or to the key; `out` has sealed_size() bytes
    /// and does not overlap. Returns how many were used. Throws std::runtime_error once closed.
    std::size_t seal(std::span<const std::byte> plain, std::span<std::byte> out);
    /// The last record: nothing is sealed behind it. 0: there was one before.
    std::size_t seal_alert(TlsAlert alert, std::span<std::byte> out);
    /// The peer has asked for new keys; the next seal() answers, once for all (RFC 8446 section 4.6.3).
    void ask_for_new_keys() { answer_due_ = !closed_; }
    bool answer_due() const { return answer_due_; }
    bool closed() const { return closed_; }

 private:
    class Sealing;
    std::uint64_t blocks_of(std::size_t content) const { return content / 16 + 2; }
    bool is_used_up_by(std::size_t content) const;

    TrafficKeys keys_;
    std::uint64_t most_blocks_;
    std::uint64_t blocks_ = 0;
    bool answer_due_ = false, closed_ = false;
};

}  // namespace device_streams
