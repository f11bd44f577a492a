#pragma once

#include "tests/fuzz/record_script.hpp"

#include <optional>

namespace device_streams::test {

/// What a reader makes of a peer's records.
struct Outcome {
    Bytes text;
    enum class End { open, closed, peer_alert, refused } end = End::open;
    int alert = 0;            ///< the peer's, or what it is told
    bool wants_keys = false;  ///< the peer has asked for new ones
    bool operator==(const Outcome&) const = default;
};

/// Where readers may differ, as RFC 8446 leaves it open.
struct Dialect {
    int canceled_in_a_row = 32;              ///< alerts that are no end, and then not even a goodbye
    bool canceled_are_empty = true;          ///< they count as records without data
    bool empties_end_with_data_only = true;  ///< else with any record that is not empty
    bool judges_first_byte = true;           ///< of a message: its type; else its header of 4 bytes
    bool takes_alerts_inside = false;        ///< of a message whose header is known
    bool answers_keys_first = false;         ///< a header that ends its record waits behind an answer to KeyUpdate
    bool reads_tickets = false;              ///< they are parsed, and refused if malformed
    bool limits_padding = true;              ///< 2^14 + 1 bytes for content, type and padding; else for the content
    bool judges_short_header = true;         ///< a length below a tag's, before the record is here whole
    int wrong_version = 50;                  ///< alert for a record whose version does not start with 3
    int wrong_length = 50;                   ///< alert for a KeyUpdate that is too long
};

/// How RFC 8446 has records read, told from what the sealer knows of them: no ciphers, and no state but whole messages.
class RecordReference {
 public:
    RecordReference(const PeerSays& says, bool is_server, Dialect dialect)
        : says_(says), is_server_(is_server), dialect_(dialect) {}

    Outcome read() {
        while (outcome_.end == Outcome::End::open && take_record()) {
        }
        return std::move(outcome_);
    }

 private:
    using End = Outcome::End;

    bool end(End how, int alert) {
        outcome_.end = how;
        outcome_.alert = alert;
        return false;
    }
    bool refuse(int alert) { return end(End::refused, alert); }
    unsigned at(std::size_t offset) const { return std::to_integer<unsigned>(says_.wire[at_ + offset]); }

    bool take_record() {
        if (says_.wire.size() - at_ < 5) return false;
        const std::size_t length = at(3) << 8 | at(4);
        if (at(1) != 3 && dialect_.wrong_version != 50) return refuse(dialect_.wrong_version);
        if (at(0) != 23) return refuse(10);
        if (at(1) != 3 || at(2) != 3) return refuse(50);
        if (length > 16'384 + 256) return refuse(22);
        const bool judged = length < 17 && dialect_.judges_short_header;
        if (says_.wire.size() - at_ - 5 < length && !judged) return false;
        const auto found = says_.records.find(at_);
        if (found == says_.records.end() || !is_authentic(found->second)) return refuse(20);
        at_ += 5 + length;
        ++sequence_;
        return take_inner(found->second.inner);
    }

    bool is_authentic(const WireRecord& record) const {
        return record.intact && record.generation == generation_ && record.sequence == sequence_;
    }

    bool take_inner(Bytes inner) {
        if (inner.size() > 16'385 && dialect_.limits_padding) return refuse(22);
        while (!inner.empty() && inner.back() == std::byte{0}) inner.pop_back();
        if (inner.empty()) return refuse(10);
        const auto type = std::to_integer<int>(inner.back());
        inner.pop_back();
        if (type < 21 || type > 23) return refuse(10);
        if (inner.size() > 16'384) return refuse(22);
        const bool inside = dialect_.takes_alerts_inside && type == 21 && header_judged_;
        if (type != 22 && !messages_.empty() && !inside) return refuse(10);
        if (type == 21) return take_alert(inner);
        if (!dialect_.empties_end_with_data_only && !inner.empty()) empties_ = 0;
        canceled_ = inner.empty() ? canceled_ : 0;
        if (type == 22) return take_messages(inner);
        if (inner.empty()) return take_empty();
        empties_ = 0;
        outcome_.text = std::move(outcome_.text) << inner;
        return true;
    }

    bool take_empty() { return ++empties_ <= 32 || refuse(10); }

    bool take_alert(const Bytes& content) {
        if (content.size() != 2) return refuse(10);
        const auto code = std::to_integer<int>(content[1]);
        const bool is_warning = content[0] == std::byte{1} || code == 90;
        if (!dialect_.canceled_are_empty && is_warning && ++canceled_ > dialect_.canceled_in_a_row) return refuse(10);
        if (code == 0) return end(End::closed, 0);
        if (code != 90) return end(End::peer_alert, code);
        if (dialect_.canceled_are_empty) return take_empty();
        empties_ = 0;
        return true;
    }

    bool take_messages(const Bytes& content) {
        if (content.empty()) return refuse(10);
        messages_ = std::move(messages_) << content;
        while (!messages_.empty()) {
            const auto taken = take_message();
            if (!taken) return false;
            if (*taken == 0) return true;
            header_judged_ = false;
            messages_.erase(messages_.begin(), messages_.begin() + static_cast<std::ptrdiff_t>(*taken));
        }
        return true;
    }

    // How long it is; 0: it is not here yet. nullopt: that is the end.
    std::optional<std::size_t> take_message() {
        const auto part = [&](std::size_t i) { return std::to_integer<std::size_t>(messages_[i]); };
        const auto fail = [&](int alert) { return refuse(alert), std::nullopt; };
        const bool is_ticket = part(0) == 4 && !is_server_;
        const bool has_header = messages_.size() >= 4;
        if (has_header && dialect_.answers_keys_first && std::exchange(owes_keys_, false) && messages_.size() == 4)
            return 0;
        header_judged_ = has_header;
        if (!is_ticket && part(0) != 24 && (has_header || dialect_.judges_first_byte)) return fail(10);
        if (!has_header) return 0;
        const auto length = part(1) << 16 | part(2) << 8 | part(3);
        if (is_ticket) {
            if (length > 131'338) return fail(dialect_.wrong_length);
            if (length == 0) return fail(50);
            if (messages_.size() < 4 + length) return 0;
            if (dialect_.reads_tickets && !is_well_made({messages_.begin() + 4, messages_.end()}, length))
                return fail(50);
            return 4 + length;
        }
        if (length > 1) return fail(dialect_.wrong_length);
        if (length == 0) return fail(messages_.size() == 4 || dialect_.judges_first_byte ? 50 : 10);
        if (messages_.size() < 5) return 0;
        return take_key_update(part(4)) ? std::optional<std::size_t>(5) : std::nullopt;
    }

    bool take_key_update(std::size_t request) {
        if (dialect_.judges_first_byte && request > 1) return refuse(47);
        if (messages_.size() > 5) return refuse(10);
        if (request > 1) return refuse(47);
        outcome_.wants_keys = outcome_.wants_keys || request == 1;
        owes_keys_ = owes_keys_ || request == 1;
        ++generation_;
        sequence_ = 0;
        return true;
    }

    // RFC 8446 section 4.6.1.
    static bool is_well_made(const Bytes& body, std::size_t length) {
        std::size_t at = 8;
        const auto number = [&](std::size_t bytes) -> std::optional<std::size_t> {
            std::size_t value = 0;
            for (; bytes > 0; --bytes, ++at) {
                if (at >= length) return std::nullopt;
                value = value << 8 | std::to_integer<std::size_t>(body[at]);
            }
            return value;
        };
        const auto nonce = number(1);
        if (!nonce) return false;
        at += *nonce;
        const auto ticket = number(2);
        if (!ticket || *ticket == 0) return false;
        at += *ticket;
        const auto extensions = number(2);
        return extensions && at + *extensions == length && *extensions == 0;
    }

    const PeerSays& says_;
    bool is_server_;
    Dialect dialect_;
    Outcome outcome_;
    std::size_t at_ = 0;
    unsigned generation_ = 0;
    std::uint64_t sequence_ = 0;
    int empties_ = 0, canceled_ = 0;
    bool owes_keys_ = false, header_judged_ = false;
    Bytes messages_;
};

}  // namespace device_streams::test
