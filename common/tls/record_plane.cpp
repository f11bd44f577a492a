#include "common/tls/record_plane.hpp"

#include <openssl/ssl.h>

#include <algorithm>

namespace device_streams {

namespace {

// What several reads at once may be of: a chunk of the relay in full records, and the rest of one before it.
constexpr std::size_t most_received = 5 * (largest_content + record_overhead) + 256;

WritableBytes receive_room() {
    thread_local const auto room = std::make_unique_for_overwrite<std::byte[]>(most_received);
    return {room.get(), most_received};
}

// How many bytes a record has that starts so; that of its header where even this is not here.
std::size_t record_size(ReadableBytes ciphertext) {
    if (ciphertext.size() < record_header_size) return record_header_size;
    return record_header_size + (std::to_integer<std::size_t>(ciphertext[3]) << 8) +
           std::to_integer<std::size_t>(ciphertext[4]);
}

// How much to have for so much plaintext, in full records; one at least, as its end would take a call of its own.
std::size_t ciphertext_for(std::size_t plain) {
    const auto records = (plain + largest_content - 1) / largest_content;
    return std::max(plain, largest_content) + records * record_overhead;
}

std::exception_ptr broken(const std::string& cause) {
    return std::make_exception_ptr(StreamError(CloseReason::protocol_violation, "TLS: " + cause));
}

std::string text_of(TlsAlert alert) {
    return SSL_alert_desc_string_long(static_cast<int>(alert));
}

}  // namespace

RecordPlane::RecordPlane(RecordReader reader, RecordWriter writer, HandshakeFacts facts)
    : reader_(std::move(reader)), writer_(std::move(writer)), facts_(std::move(facts)) {
}

// Something can be read, or judged, without receiving.
bool RecordPlane::has_more() const {
    return reader_.holds_plaintext() || (kept_.size() >= record_header_size && kept_.size() >= record_size(kept_));
}

RecordLayer::Read RecordPlane::read(RawConnection& from, WritableBytes into, Ciphertext& out, std::size_t reply_room) {
    Read done;
    while (done.size < into.size() && !done.dry && !done.ended && !done.turn_over && !done.failure && !reader_.over())
        read_once(from, into.subspan(done.size), done);
    if (reader_.take_key_update_request()) writer_.ask_for_new_keys();
    if (const auto refusal = reader_.refusal(); refusal && !done.failure) {
        out.use(writer_.seal_alert(*refusal, out.room(2 + record_overhead)));
        done.failure = broken(text_of(*refusal));
    }
    if (const auto alert = reader_.peer_alert()) done.failure = broken("the peer says: " + text_of(*alert));
    done.ended = done.ended || reader_.closed();
    answer(out, reply_room);
    return done;
}

void RecordPlane::read_once(RawConnection& from, WritableBytes into, Read& done) {
    const bool receives = !has_more();
    const auto kept = kept_.size();
    const auto wanted = std::max(record_size(kept_), ciphertext_for(into.size()));
    ReadableBytes here = kept_;
    if (receives) {
        const auto room = receive_room().first(std::min(wanted, most_received));
        std::ranges::copy(kept_, room.begin());
        here = room.first(kept + receive(from, room.subspan(kept), done));
    }
    try {
        const auto step = reader_.read(here, into);
        done.size += step.produced;
        done.turn_over = reader_.turn_over();
        const auto rest = here.subspan(step.consumed);
        if (receives)
            kept_.assign(rest.begin(), rest.end());
        else
            kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(step.consumed));
        if (kept_.empty()) kept_ = std::vector<std::byte>();
    } catch (const std::exception& failure) {
        done.failure = std::make_exception_ptr(StreamError(CloseReason::lost, std::string("TLS: ") + failure.what()));
    }
    done.dry = done.dry && !has_more();
}

// What a failing connection had brought before is still read.
std::size_t RecordPlane::receive(RawConnection& from, WritableBytes room, Read& done) {
    try {
        const auto received = from.try_recv(room);
        done.dry = received.value_or(0) < room.size();
        done.ended = received == std::size_t{0};
        return received.value_or(0);
    } catch (...) {
        done.failure = std::current_exception();
        return 0;
    }
}

void RecordPlane::answer(Ciphertext& out, std::size_t room) {
    if (writer_.answer_due() && writer_.sealed_size(0) <= room)
        out.use(writer_.seal({}, out.room(writer_.sealed_size(0))));
}

void RecordPlane::seal(ReadableBytes plain, Ciphertext& out) {
    try {
        out.use(writer_.seal(plain, out.room(writer_.sealed_size(plain.size()))));
    } catch (const std::exception& failure) {
        throw StreamError(CloseReason::lost, std::string("TLS: ") + failure.what());
    }
}

void RecordPlane::say_goodbye(Ciphertext& out) {
    out.use(writer_.seal_alert(TlsAlert::close_notify, out.room(2 + record_overhead)));
}

std::optional<ClientCertificate> RecordPlane::take_client_certificate() {
    return std::exchange(facts_.client_certificate, std::nullopt);
}

}  // namespace device_streams
