#pragma once

#include "tests/fuzz/record_reference.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace device_streams::test {

inline void require(bool well, const char* what) {
    if (well) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

/// Sizes that look random, of a kind that its number chooses: everything, a few bytes, many.
class Sizes {
 public:
    /// `total`: of what is cut; the more it is, the larger are the smallest pieces.
    Sizes(unsigned number, std::size_t total) : state_(number), all_(number == 0 ? std::min(total, most) : 0) {
        static constexpr std::size_t bounds[] = {1, 3, 40, 700, 9'000, 17'000, 40'000, most};
        bound_ = std::max(bounds[number % 8], total / 200);
    }
    static constexpr std::size_t most = 100'000;
    std::size_t next() {
        if (all_ > 0) return all_;
        state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        return 1 + (state_ >> 33) % bound_;
    }

 private:
    std::uint64_t state_;
    std::size_t all_, bound_ = 1;
};

/// Gives a reader what comes piece by piece and room by room, and demands what it promises for any input.
class RecordReading {
 public:
    RecordReading(RecordReader& reader, std::span<const std::byte> wire, unsigned pieces, unsigned rooms)
        : reader_(reader), wire_(wire), pieces_(pieces, wire.size()), rooms_(rooms, wire.size() + 1) {}

    Outcome read() {
        while (here_ < wire_.size() && !reader_.over()) {
            here_ += std::min(pieces_.next(), wire_.size() - here_);
            while (!reader_.over() && step()) {
            }
        }
        step();
        return end();
    }

 private:
    static constexpr std::byte untouched{0xa5};

    // False: it needs more.
    bool step() {
        const bool was_over = reader_.over();
        const auto part = wire_.subspan(consumed_, here_ - consumed_);
        const auto given = tail_of(given_, part.size());
        const auto into = tail_of(into_, rooms_.next());
        if (!part.empty()) std::memcpy(given.data(), part.data(), part.size());
        std::memset(into.data(), std::to_integer<int>(untouched), into.size());
        const auto done = reader_.read(given, into);
        require(done.consumed <= given.size() && done.produced <= into.size(), "more was taken or given than there is");
        require(!was_over || (done.consumed == 0 && done.produced == 0), "something came behind the end");
        require(!reader_.holds_plaintext() || done.produced == into.size(), "plaintext was held back without need");
        if (reader_.refusal() == TlsAlert::bad_record_mac && done.consumed == 0) require_nothing(into, done.produced);
        outcome_.wants_keys = reader_.take_key_update_request() || outcome_.wants_keys;
        outcome_.text.insert(outcome_.text.end(), into.begin(),
                             into.begin() + static_cast<std::ptrdiff_t>(done.produced));
        consumed_ += done.consumed;
        const bool moved = done.consumed > 0 || done.produced > 0;
        require(moved || reader_.over() || !is_whole(part), "a record that is here was not read");
        return moved;
    }

    // Right before the end of its room, for AddressSanitizer.
    static std::span<std::byte> tail_of(Bytes& room, std::size_t size) {
        if (room.size() < size) room.resize(size);
        return std::span(room).last(size);
    }

    static bool is_whole(std::span<const std::byte> part) {
        return part.size() >= 5 &&
               part.size() - 5 >= (std::to_integer<std::size_t>(part[3]) << 8 | std::to_integer<std::size_t>(part[4]));
    }

    static void require_nothing(std::span<const std::byte> into, std::size_t produced) {
        const auto rest = into.subspan(produced);
        require(std::ranges::all_of(rest, [](std::byte b) { return b == untouched || b == std::byte{0}; }),
                "something of a record is seen whose tag is wrong");
    }

    Outcome end() {
        require((reader_.closed() ? 1 : 0) + (reader_.peer_alert() ? 1 : 0) + (reader_.refusal() ? 1 : 0) <= 1,
                "it ended in two ways");
        if (reader_.closed()) outcome_.end = Outcome::End::closed;
        if (const auto alert = reader_.peer_alert()) set_end(Outcome::End::peer_alert, *alert);
        if (const auto refusal = reader_.refusal()) set_end(Outcome::End::refused, *refusal);
        return std::move(outcome_);
    }

    void set_end(Outcome::End how, TlsAlert alert) {
        outcome_.end = how;
        outcome_.alert = static_cast<int>(alert);
    }

    RecordReader& reader_;
    std::span<const std::byte> wire_;
    Sizes pieces_, rooms_;
    Bytes given_, into_;
    std::size_t here_ = 0, consumed_ = 0;
    Outcome outcome_;
};

/// Ends the program where they are not the same, and says how they differ.
inline void require_same(const char* whose, const Outcome& found, const Outcome& meant) {
    if (found == meant) return;
    const auto print = [](const char* name, const Outcome& outcome) {
        std::fprintf(stderr, "%s: %zu bytes, end %d, alert %d, new keys %d\n", name, outcome.text.size(),
                     static_cast<int>(outcome.end), outcome.alert, outcome.wants_keys ? 1 : 0);
    };
    print(whose, found);
    print("meant", meant);
    std::abort();
}

}  // namespace device_streams::test
