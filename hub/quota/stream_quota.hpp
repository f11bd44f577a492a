#pragma once

#include "common/base/clock.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace device_streams::hub {

/// Whom a limit is for: all streams together, or those of one policy, device (its modules included) or source address.
enum class QuotaScope { hub, policy, device, address };
inline constexpr std::array quota_scopes{QuotaScope::hub, QuotaScope::policy, QuotaScope::device, QuotaScope::address};
std::string_view to_string(QuotaScope scope);

/// Of one scope; 0 is no limit.
struct QuotaLimits {
    unsigned opens_per_second = 0;  ///< on average
    unsigned burst = 0;             ///< opened at once after a pause; 0: as opens_per_second
    unsigned streams = 0;           ///< at a time
    std::uint64_t bytes_per_day = 0;
    bool operator==(const QuotaLimits&) const = default;
};

template <typename Value>
using PerScope = std::array<Value, quota_scopes.size()>;
using QuotaSettings = PerScope<QuotaLimits>;
template <typename Value>
Value& at_scope(PerScope<Value>& all, QuotaScope scope) {
    return all[static_cast<std::size_t>(scope)];
}
template <typename Value>
const Value& at_scope(const PerScope<Value>& all, QuotaScope scope) {
    return all[static_cast<std::size_t>(scope)];
}

/// Who opens a stream to whom. Only what has been authenticated may get here: it is remembered.
struct StreamParties {
    std::string policy;
    std::string device;
    std::string address;  ///< of the service
};

struct QuotaMoment {
    Clock::time_point steady;
    Clock::wall_time wall;
};

struct QuotaRefused {
    enum class Limit { opens, streams, bytes } limit;
    std::chrono::seconds retry_after;
    std::string text;  ///< one clause for the service
};

/// What went through on a day, by scope and name; of the hub, the name is empty.
struct DayVolumes {
    std::chrono::sys_days day;
    PerScope<std::unordered_map<std::string, std::uint64_t>> bytes;
};

/// What is in use now.
struct QuotaUse {
    struct Row {
        std::string name;
        unsigned streams = 0;
        std::uint64_t bytes = 0;  ///< today
    };
    struct Scope {
        QuotaLimits limits;
        std::size_t known = 0;  ///< how many rows there would be
        std::vector<Row> rows;  ///< the busiest first
    };
    std::chrono::sys_days day;
    std::chrono::seconds day_ends_in{0};
    PerScope<Scope> scopes;
};

/// The rules of how many streams may be opened, run at a time and carry on a day. A day ends at midnight UTC by the
/// wall clock; a clock that is set back unlocks nothing, and one that jumps about midnight begins one day an hour at
/// most. Plain state without a clock: the caller locks. It remembers `most_remembered` devices, addresses and so on at
/// most; beyond that it forgets the idle ones, and then those that were not seen for longest.
class StreamQuota {
 public:
    explicit StreamQuota(QuotaSettings settings, std::size_t most_remembered = 100'000)
        : settings_(settings), most_remembered_(most_remembered) {}

    /// For streams that are opened from now on; what runs goes on, and counts.
    void set(const QuotaSettings& settings) { settings_ = settings; }

    struct Account {
        unsigned streams = 0;
        std::uint64_t bytes = 0;             // of the day
        Clock::time_point bucket_full_at{};  // GCRA: later by 1 s / rate with each stream that is opened
        Clock::time_point last_opened{};
    };
    using Accounts = std::unordered_map<std::string, Account>;
    /// The accounts that a stream counts in; they stay until it is closed.
    using Held = PerScope<Accounts::value_type*>;

    std::variant<Held, QuotaRefused> open(const StreamParties& parties, QuotaMoment now);
    void count(const Held& held, std::uint64_t bytes, QuotaMoment now);
    /// Once for what open() gave.
    void close(const Held& held, QuotaMoment now);

    /// At most `rows` of each scope.
    QuotaUse use(QuotaMoment now, std::size_t rows);
    DayVolumes volumes(QuotaMoment now);
    /// What an earlier hub has counted; of another day it means nothing.
    void restore(const DayVolumes& earlier, QuotaMoment now);

    std::size_t remembered(QuotaScope scope) const { return at_scope(accounts_, scope).size(); }

 private:
    std::optional<QuotaRefused> judge(QuotaScope scope, const std::string& name, QuotaMoment now);
    void turn_day(QuotaMoment now);
    bool can_be_forgotten(QuotaScope scope, const Account& account, Clock::time_point now) const;
    Accounts::value_type& account(QuotaScope scope, const std::string& name, Clock::time_point now);
    void make_room(QuotaScope scope, Clock::time_point now);

    QuotaSettings settings_;
    std::size_t most_remembered_;
    PerScope<Accounts> accounts_;
    PerScope<std::size_t> sweep_at_{};
    std::optional<std::chrono::sys_days> day_;
    std::optional<Clock::time_point> day_turned_;
};

}  // namespace device_streams::hub
