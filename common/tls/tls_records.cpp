#include "common/tls/tls_records.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace device_streams {

namespace {

using Readable = std::span<const std::byte>;
using Writable = std::span<std::byte>;

constexpr std::byte change_cipher_spec{20}, alert_type{21}, handshake_type{22}, data_type{23};
constexpr std::byte new_session_ticket{4}, key_update{24};
constexpr std::size_t message_header_size = 4;
// Both nonces, extensions and a ticket of 64 KiB each (RFC 8446 section 4.6.1).
constexpr std::size_t largest_ticket = 4 + 4 + 1 + 255 + 2 + 65'535 + 2 + 65'535;

// How much of it is in front of the zeros at its end. Eight at a time, as a stranger may send 16 KiB of them.
std::size_t without_padding(const std::byte* text, std::size_t size) {
    std::uint64_t word = 0;
    while (size >= sizeof word) {
        std::memcpy(&word, text + size - sizeof word, sizeof word);
        if (word != 0) break;
        size -= sizeof word;
    }
    while (size > 0 && text[size - 1] == std::byte{0}) --size;
    return size;
}

void put_header(std::byte* at, std::size_t sealed) {
    at[0] = data_type;
    at[1] = at[2] = std::byte{3};
    at[3] = static_cast<std::byte>(sealed >> 8);
    at[4] = static_cast<std::byte>(sealed & 0xff);
}

// Where a record is opened whose content may not fit. Nothing of it is left behind.
class Spill {
 public:
    Spill() { assert(!used_), used_ = true; }
    ~Spill() {
        OPENSSL_cleanse(room_.data(), size_);
        used_ = false;
    }
    std::byte* take(std::size_t size) {
        size_ = std::max(size_, size);
        return room_.data();
    }

 private:
    static thread_local std::array<std::byte, largest_content + 256> room_;
    static thread_local bool used_;
    std::size_t size_ = 0;
};
thread_local std::array<std::byte, largest_content + 256> Spill::room_;
thread_local bool Spill::used_ = false;

}  // namespace

struct RecordReader::Record {
    Readable header, sealed;
    std::size_t size() const { return header.size() + sealed.size(); }
    std::size_t inner() const { return sealed.size() - aead_tag_size; }
};

void RecordReader::refuse(TlsAlert alert) {
    refusal_ = alert;
}

bool RecordReader::take_key_update_request() {
    return std::exchange(key_update_requested_, false);
}

// nullopt: it is not here whole, or it may not come.
std::optional<RecordReader::Record> RecordReader::next_record(Readable ciphertext) {
    if (ciphertext.size() < record_header_size) return std::nullopt;
    const auto header = ciphertext.first(record_header_size);
    const auto length = std::to_integer<std::size_t>(header[3]) << 8 | std::to_integer<std::size_t>(header[4]);
    if (header[0] != data_type) {
        refuse(TlsAlert::unexpected_message);
    } else if (header[1] != std::byte{3} || header[2] != std::byte{3}) {
        refuse(TlsAlert::decode_error);
    } else if (length > largest_content + 256) {
        refuse(TlsAlert::record_overflow);
    } else if (length < aead_tag_size + 1) {
        refuse(TlsAlert::bad_record_mac);
    } else if (ciphertext.size() - record_header_size >= length) {
        return Record{header, ciphertext.subspan(record_header_size, length)};
    }
    return std::nullopt;
}

// Leaves the content at `out`; `size` and `type` are its.
bool RecordReader::open(AeadBatch& batch, const Record& record, std::byte* out, std::size_t& size, std::byte& type) {
    size = record.inner() - 1;
    if (!batch.open(keys_.next_nonce(), record.header, record.sealed, out, type)) {
        refuse(TlsAlert::bad_record_mac);
        return false;
    }
    if (record.inner() > largest_content + 1) {
        refuse(TlsAlert::record_overflow);
        return false;
    }
    if (type != std::byte{0}) return true;
    size = without_padding(out, size);
    if (size == 0) {
        refuse(TlsAlert::unexpected_message);
        return false;
    }
    type = out[--size];
    return true;
}

RecordReader::Step RecordReader::read(Readable ciphertext, Writable into) {
    Step step;
    turn_ = 0;
    if (holds_plaintext()) step.produced = give_held(into);
    std::optional<AeadBatch> batch;
    while (!over() && !turn_over() && !holds_plaintext() && step.produced < into.size()) {
        const auto record = next_record(ciphertext.subspan(step.consumed));
        if (!record) break;
        if (!batch) batch.emplace(keys_.suite(), keys_.key(), AeadDirection::open);
        const auto room = into.subspan(step.produced);
        const bool in_place = room.size() >= record->inner() - 1;
        std::optional<Spill> spill;
        if (!in_place) spill.emplace();
        std::byte* const out = in_place ? room.data() : spill->take(record->inner());
        std::size_t size = 0;
        std::byte type{};
        if (!open(*batch, *record, out, size, type)) break;
        step.consumed += record->size();
        const Readable content(out, size);
        if (type == data_type)
            step.produced += take_data(content, room, in_place);
        else
            take(type, content);
        if (std::exchange(keys_updated_, false)) batch.reset();
    }
    return step;
}

std::size_t RecordReader::take_data(Readable content, Writable into, bool in_place) {
    if (message_size_ > 0) {  // in the middle of a handshake message
        refuse(TlsAlert::unexpected_message);
        return 0;
    }
    if (content.empty()) {
        note_empty();
        return 0;
    }
    empty_records_ = 0;
    if (in_place) return content.size();
    const auto given = std::min(content.size(), into.size());
    try {
        held_.assign(content.begin() + static_cast<std::ptrdiff_t>(given), content.end());
    } catch (...) {
        refuse(TlsAlert::internal_error);  // these bytes are gone
        throw;
    }
    held_from_ = 0;
    std::ranges::copy(content.first(given), into.begin());
    return given;
}

std::size_t RecordReader::give_held(Writable into) {
    const auto rest = std::span(held_).subspan(held_from_);
    const auto given = std::min(rest.size(), into.size());
    std::ranges::copy(rest.first(given), into.begin());
    held_from_ += given;
    if (!holds_plaintext()) {
        held_ = std::vector<std::byte>();
        held_from_ = 0;
    }
    return given;
}

void RecordReader::note_empty() {
    ++turn_;
    if (++empty_records_ > most_empty_records) refuse(TlsAlert::unexpected_message);
}

void RecordReader::take(std::byte type, Readable content) {
    if (type != handshake_type && message_size_ > 0) return refuse(TlsAlert::unexpected_message);
    if (type == alert_type) return take_alert(content);
    if (type == handshake_type) return take_handshake(content);
    refuse(TlsAlert::unexpected_message);
}

// Their level means nothing any more (RFC 8446 section 6).
void RecordReader::take_alert(Readable content) {
    if (content.size() != 2) return refuse(TlsAlert::unexpected_message);
    const auto alert = static_cast<TlsAlert>(content[1]);
    if (alert == TlsAlert::close_notify) {
        closed_ = true;
    } else if (alert == TlsAlert::user_canceled) {
        note_empty();
    } else {
        peer_alert_ = alert;
    }
}

void RecordReader::take_handshake(Readable content) {
    if (content.empty()) return refuse(TlsAlert::unexpected_message);
    ++turn_;
    while (!content.empty() && !over()) {
        if (skipping_ > 0) {
            const auto skipped = std::min(skipping_, content.size());
            content = content.subspan(skipped);
            skipping_ -= skipped;
            if (skipping_ == 0) message_size_ = 0;
            continue;
        }
        message_[message_size_++] = content.front();
        content = content.subspan(1);
        if (message_size_ == 1 || message_size_ >= message_header_size) take_message_header(content.empty());
    }
}

// Each message is judged as soon as that can be done, so that nothing of it need be kept.
void RecordReader::take_message_header(bool ends_record) {
    const auto type = message_[0];
    const bool is_ticket = type == new_session_ticket && !is_server_;
    if (!is_ticket && type != key_update) return refuse(TlsAlert::unexpected_message);
    if (message_size_ < message_header_size) return;
    std::size_t length = 0;
    for (const auto byte : std::span(message_).subspan(1, 3)) length = length << 8 | std::to_integer<std::size_t>(byte);
    if (is_ticket) {
        if (length == 0 || length > largest_ticket) return refuse(TlsAlert::decode_error);
        skipping_ = length;
        return;
    }
    if (length != 1) return refuse(TlsAlert::decode_error);
    if (message_size_ == message_header_size) return;
    if (message_.back() > std::byte{1}) return refuse(TlsAlert::illegal_parameter);
    if (!ends_record) return refuse(TlsAlert::unexpected_message);  // what follows has other keys
    if (message_.back() == std::byte{1}) key_update_requested_ = true;
    message_size_ = 0;
    keys_.update();
    keys_updated_ = true;
}

// Seals records one behind the other, with the key expanded once for each generation.
class RecordWriter::Sealing {
 public:
    Sealing(RecordWriter& writer, Writable out) : writer_(writer), out_(out) {}

    void record(std::byte type, Readable content) {
        if (out_.size() - used_ < content.size() + record_overhead)
            throw std::runtime_error("no room for a TLS record");
        if (!batch_) batch_.emplace(writer_.keys_.suite(), writer_.keys_.key(), AeadDirection::seal);
        std::byte* const at = out_.data() + used_;
        put_header(at, content.size() + 1 + aead_tag_size);
        batch_->seal(writer_.keys_.next_nonce(), {at, record_header_size}, content, type, at + record_header_size);
        used_ += content.size() + record_overhead;
        writer_.blocks_ += writer_.blocks_of(content.size());
    }

    // Ours asks for no answer, and is one.
    void new_keys() {
        static constexpr std::array message{key_update, std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}};
        record(handshake_type, message);
        batch_.reset();
        writer_.keys_.update();
        writer_.blocks_ = 0;
        writer_.answer_due_ = false;
    }

    std::size_t used() const { return used_; }

 private:
    RecordWriter& writer_;
    Writable out_;
    std::size_t used_ = 0;
    std::optional<AeadBatch> batch_;
};

namespace {
constexpr std::size_t key_update_record = 5 + record_overhead;
}  // namespace

// ChaCha20-Poly1305 has no such limit that could be reached.
bool RecordWriter::is_used_up_by(std::size_t content) const {
    return keys_.suite() != AeadSuite::chacha20_poly1305 && blocks_ > 0 && blocks_ + blocks_of(content) > most_blocks_;
}

std::size_t RecordWriter::sealed_size(std::size_t plain) const {
    const auto records = (plain + largest_content - 1) / largest_content;
    const bool may_renew = blocks_ + blocks_of(plain) + 2 * records > most_blocks_;
    return plain + records * (record_overhead + (may_renew ? key_update_record : 0)) +
           (answer_due_ ? key_update_record : 0);
}

std::size_t RecordWriter::seal(Readable plain, Writable out) {
    if (closed_) throw std::runtime_error("TLS has said goodbye");
    Sealing sealing(*this, out);
    if (answer_due_) sealing.new_keys();
    while (!plain.empty()) {
        const auto piece = plain.first(std::min(plain.size(), largest_content));
        if (is_used_up_by(piece.size())) sealing.new_keys();
        sealing.record(data_type, piece);
        plain = plain.subspan(piece.size());
    }
    return sealing.used();
}

std::size_t RecordWriter::seal_alert(TlsAlert alert, Writable out) {
    if (closed_) return 0;
    const std::array message{alert == TlsAlert::close_notify ? std::byte{1} : std::byte{2},
                             static_cast<std::byte>(alert)};
    Sealing sealing(*this, out);
    sealing.record(alert_type, message);
    closed_ = true;
    answer_due_ = false;
    return sealing.used();
}

}  // namespace device_streams
