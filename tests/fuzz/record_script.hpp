#pragma once

#include "tests/unit/tls/record_sealer.hpp"

#include <cstdint>
#include <map>
#include <utility>

namespace device_streams::test {

/// Takes numbers and bytes from a fuzzer's input; zeros once it is used up.
class ScriptBytes {
 public:
    ScriptBytes(const std::uint8_t* data, std::size_t size) : left_(data, size) {}

    bool empty() const { return left_.empty(); }
    unsigned byte() {
        if (left_.empty()) return 0;
        const auto first = left_.front();
        left_ = left_.subspan(1);
        return first;
    }
    unsigned word() {
        const auto high = byte();
        return high << 8 | byte();
    }
    Bytes bytes(std::size_t size) {
        const auto taken = std::as_bytes(left_.first(std::min(size, left_.size())));
        left_ = left_.subspan(taken.size());
        return {taken.begin(), taken.end()};
    }

 private:
    std::span<const std::uint8_t> left_;
};

/// A record as it lies on the wire, and what its sealer knows of it.
struct WireRecord {
    std::size_t size = 0;        ///< with its header
    unsigned generation = 0;     ///< how many key updates its keys have seen
    std::uint64_t sequence = 0;  ///< under these keys
    Bytes inner{};               ///< content, type and padding
    bool intact = true;          ///< nothing was changed behind its sealing
};

/// Everything that a peer sends.
struct PeerSays {
    Bytes wire;
    std::map<std::size_t, WireRecord> records;  ///< by their offset
};

/// A peer of TLS 1.3 behind its handshake that does what a fuzzer's input tells it, right or wrong: each step is a
/// number and what it needs.
class ScriptedPeer {
 public:
    explicit ScriptedPeer(TrafficKeys keys) : sealer_{std::move(keys)} {}

    PeerSays run(ScriptBytes script) {
        while (!script.empty() && says_.wire.size() < most_wire) step(script);
        says_.wire.resize(says_.wire.size() - std::min<std::size_t>(cut_, says_.wire.size()));
        return std::move(says_);
    }

 private:
    static constexpr std::size_t most_wire = 100'000;
    static constexpr int data = 23, handshake = 22, alert = 21;

    void step(ScriptBytes& script) {
        switch (script.byte() % 22) {
            case 0: {
                const auto content = pattern(script.byte());
                return send(data, content, script.byte());
            }
            case 1: {
                const auto content = pattern(script.word() % (largest_content + 3));
                return send(data, content, script.word() % 600);
            }
            case 2:  // around the largest record
                return send_near_the_limit(script);
            case 3: {
                const auto level = static_cast<std::byte>(script.byte());
                return send(alert, {level, static_cast<std::byte>(script.byte())});
            }
            case 4:
                return key_update({script.byte(), 0});
            case 5:
                return key_update({script.byte(), script.byte()});
            case 6: {
                const auto content = script.bytes(script.byte());
                return send(handshake, content, script.byte() % 4);
            }
            case 7:
                return send_ticket(script);
            case 8: {
                const auto type = static_cast<int>(script.byte());
                const auto content = script.bytes(script.byte() % 16);
                return send(type, content, script.byte() % 16);
            }
            case 9:
                return seal(Bytes(script.word() % 20'000 + 1));
            case 10: {  // a bit
                const auto at = script.word();
                return change_last(at, static_cast<std::byte>(1U << script.byte() % 8));
            }
            case 11: {  // a byte of the header
                const auto at = script.byte() % 5;
                return change_last(at, static_cast<std::byte>(std::max(1U, script.byte())));
            }
            case 12:
                return leave_out(script.byte() % 4 + 1);
            case 13:
                return put_raw(script.bytes(script.byte()));
            case 14:
                return repeat(script.byte() % 40, [&] { send(data, {}, script.byte() % 3); });
            case 15:
                return repeat(script.byte() % 40, [&] { key_update({script.byte() % 2, 0}); });
            case 16:
                return repeat(script.byte() % 40, [&] { send(alert, {std::byte{1}, std::byte{90}}); });
            case 17:
                return update_keys();
            case 18:
                return send(handshake, from_hex(script.byte() % 2 == 0 ? "1800000100" : "1800000101"));  // old keys on
            case 19:
                return replay_last();
            case 20:
                cut_ = script.word();
                return;
            default:
                return send(alert, {std::byte{1}, std::byte{0}});
        }
    }

    template <class F>
    static void repeat(unsigned count, F&& once) {
        for (unsigned i = 0; i < count; ++i) once();
    }

    // Of each place different, and of each record.
    Bytes pattern(std::size_t size) {
        static const auto source = [] {
            Bytes all(largest_content + 512);
            for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::byte>(i * 31 / 7 & 0xff);
            return all;
        }();
        const auto from = source.begin() + records_++ % 256;
        return {from, from + static_cast<std::ptrdiff_t>(size)};
    }

    void send_near_the_limit(ScriptBytes& script) {
        const auto inner = largest_content + 1 + script.byte() % 8 - 4;
        const auto padding = script.byte() % 2 == 0 ? script.byte() % 4 : script.word() % (inner - 1);
        send(data, pattern(inner - 1 - padding), padding);
    }

    struct KeyUpdate {
        unsigned request, cuts;  // a bit for each place between its bytes
    };
    void key_update(KeyUpdate how) {
        const auto message = Bytes{std::byte{24}, {}, {}, std::byte{1}, static_cast<std::byte>(how.request)};
        Bytes piece;
        for (std::size_t i = 0; i < message.size(); ++i) {
            piece.push_back(message[i]);
            if (i + 1 == message.size() || (how.cuts >> i & 1) != 0) send(handshake, std::exchange(piece, {}));
        }
        update_keys();
    }

    // Well made: lifetime, age, nonce, ticket, no extensions. In so many pieces, with a message behind it or not.
    void send_ticket(ScriptBytes& script) {
        const std::size_t size = script.word() % 40'000 + 1;
        const auto body = 4 + 4 + 2 + 2 + size + 2;
        Bytes message{std::byte{4}, {}, static_cast<std::byte>(body >> 8), static_cast<std::byte>(body & 0xff)};
        message = std::move(message) << from_hex("00000e10 01020304 01 05");
        message = std::move(message) << Bytes{static_cast<std::byte>(size >> 8), static_cast<std::byte>(size & 0xff)};
        message = std::move(message) << Bytes(size, std::byte{0x18}) << Bytes(2) << script.bytes(script.byte() % 8);
        const auto piece = std::clamp<std::size_t>(script.word(), 1 + message.size() / 20, largest_content);
        for (std::span<const std::byte> rest = message; !rest.empty();) {
            const auto next = rest.first(std::min(piece, rest.size()));
            send(handshake, {next.begin(), next.end()});
            rest = rest.subspan(next.size());
        }
    }

    void send(int type, Bytes content, std::size_t padding = 0) {
        content.push_back(static_cast<std::byte>(type));
        content.resize(content.size() + padding);
        seal(std::move(content));
    }

    void seal(Bytes inner) {
        WireRecord record{.generation = generation_, .sequence = sealer_.keys.sequence()};
        const auto sealed = sealer_.seal_inner(inner);
        record.size = sealed.size();
        record.inner = std::move(inner);
        put(record, sealed);
    }

    void put(const WireRecord& record, const Bytes& bytes) {
        last_ = says_.wire.size();
        says_.records[last_] = record;
        says_.wire = std::move(says_.wire) << bytes;
    }

    void put_raw(const Bytes& bytes) { says_.wire = std::move(says_.wire) << bytes; }

    WireRecord* last_record() {
        const auto found = says_.records.find(last_);
        return found == says_.records.end() ? nullptr : &found->second;
    }

    // Once, as twice may be never.
    void change_last(std::size_t at, std::byte mask) {
        auto* const record = last_record();
        if (record == nullptr || !record->intact) return;
        says_.wire[last_ + at % record->size] ^= mask;
        record->intact = false;
    }

    void replay_last() {
        const auto* const record = last_record();
        if (record == nullptr) return;
        const auto from = says_.wire.begin() + static_cast<std::ptrdiff_t>(last_);
        put(WireRecord(*record), Bytes(from, from + static_cast<std::ptrdiff_t>(record->size)));
    }

    void leave_out(unsigned count) {
        repeat(count, [&] { sealer_.keys.next_nonce(); });
    }

    void update_keys() {
        sealer_.keys.update();
        ++generation_;
    }

    RecordSealer sealer_;
    PeerSays says_;
    unsigned generation_ = 0, records_ = 0, cut_ = 0;
    std::size_t last_ = SIZE_MAX;
};

}  // namespace device_streams::test
