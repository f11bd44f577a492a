#include "hub/quota/stream_quota.hpp"

#include <algorithm>
#include <tuple>

namespace device_streams::hub {

namespace {

// Nobody knows when a stream ends.
constexpr std::chrono::seconds retry_after_full{5};
// Real days are longer, but the first one of a process.
constexpr auto shortest_day = std::chrono::hours(1);
constexpr std::size_t worth_a_sweep = 1'024;

const std::string& name_in(const StreamParties& parties, QuotaScope scope) {
    static const std::string nameless;
    switch (scope) {
        case QuotaScope::policy:
            return parties.policy;
        case QuotaScope::device:
            return parties.device;
        case QuotaScope::address:
            return parties.address;
        case QuotaScope::hub:
            break;
    }
    return nameless;
}

std::chrono::seconds until_midnight(Clock::wall_time wall) {
    const auto midnight = std::chrono::floor<std::chrono::days>(wall) + std::chrono::days(1);
    return std::max(std::chrono::ceil<std::chrono::seconds>(midnight - wall), std::chrono::seconds(1));
}

unsigned burst_of(const QuotaLimits& limits) {
    return limits.burst != 0 ? limits.burst : limits.opens_per_second;
}

Clock::duration between_opens(const QuotaLimits& limits) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::seconds(1)) / limits.opens_per_second;
}

// When a bucket is full again. Under limits that were changed meanwhile it cannot be emptier than empty.
Clock::time_point full_at(const StreamQuota::Account& account, const QuotaLimits& limits, Clock::time_point now) {
    return std::clamp(account.bucket_full_at, now, now + burst_of(limits) * between_opens(limits));
}

std::string limited(QuotaScope scope, const std::string& what) {
    const bool whole = scope == QuotaScope::hub;
    return (whole ? "this hub" : "one " + std::string(to_string(scope))) + " may have " + what;
}

bool busier(const QuotaUse::Row& a, const QuotaUse::Row& b) {
    return std::tie(b.streams, b.bytes, a.name) < std::tie(a.streams, a.bytes, b.name);
}

}  // namespace

std::string_view to_string(QuotaScope scope) {
    constexpr std::array<std::string_view, quota_scopes.size()> names{"hub", "policy", "device", "address"};
    return names[static_cast<std::size_t>(scope)];
}

std::variant<StreamQuota::Held, QuotaRefused> StreamQuota::open(const StreamParties& parties, QuotaMoment now) {
    turn_day(now);
    std::optional<QuotaRefused> worst;
    for (const auto scope : quota_scopes) {
        auto refusal = judge(scope, name_in(parties, scope), now);
        if (refusal && (!worst || refusal->retry_after > worst->retry_after)) worst = std::move(refusal);
    }
    if (worst) return std::move(*worst);
    Held held{};
    for (const auto scope : quota_scopes) {
        auto& kept = account(scope, name_in(parties, scope), now.steady);
        const auto& limits = at_scope(settings_, scope);
        ++kept.second.streams;
        kept.second.last_opened = now.steady;
        if (limits.opens_per_second != 0)
            kept.second.bucket_full_at = full_at(kept.second, limits, now.steady) + between_opens(limits);
        at_scope(held, scope) = &kept;
    }
    return held;
}

std::optional<QuotaRefused> StreamQuota::judge(QuotaScope scope, const std::string& name, QuotaMoment now) {
    using Limit = QuotaRefused::Limit;
    const auto& limits = at_scope(settings_, scope);
    auto& accounts = at_scope(accounts_, scope);
    const auto found = accounts.find(name);
    if (found == accounts.end()) return std::nullopt;
    Account& account = found->second;
    if (limits.bytes_per_day != 0 && account.bytes >= limits.bytes_per_day)
        return QuotaRefused{Limit::bytes, until_midnight(now.wall),
                            limited(scope, std::to_string(limits.bytes_per_day) + " bytes on a day, until 00:00 UTC")};
    if (limits.streams != 0 && account.streams >= limits.streams)
        return QuotaRefused{Limit::streams, retry_after_full,
                            limited(scope, std::to_string(limits.streams) + " streams at a time")};
    if (limits.opens_per_second == 0) return std::nullopt;
    account.bucket_full_at = full_at(account, limits, now.steady);
    const auto wait = account.bucket_full_at - now.steady - (burst_of(limits) - 1) * between_opens(limits);
    if (wait <= Clock::duration::zero()) return std::nullopt;
    return QuotaRefused{Limit::opens, std::chrono::ceil<std::chrono::seconds>(wait),
                        limited(scope, std::to_string(limits.opens_per_second) + " new streams a second")};
}

void StreamQuota::count(const Held& held, std::uint64_t bytes, QuotaMoment now) {
    turn_day(now);
    for (auto* account : held) account->second.bytes += bytes;
}

void StreamQuota::close(const Held& held, QuotaMoment now) {
    turn_day(now);
    for (const auto scope : quota_scopes) {
        auto* account = at_scope(held, scope);
        --account->second.streams;
        if (can_be_forgotten(scope, account->second, now.steady))
            at_scope(accounts_, scope).erase(std::string(account->first));
    }
}

bool StreamQuota::can_be_forgotten(QuotaScope scope, const Account& account, Clock::time_point now) const {
    // Of devices and addresses there may be many; without a limit nobody asks for their day.
    const bool few = scope == QuotaScope::hub || scope == QuotaScope::policy;
    const bool bytes_matter = few || at_scope(settings_, scope).bytes_per_day != 0;
    return account.streams == 0 && account.bucket_full_at <= now && (account.bytes == 0 || !bytes_matter);
}

StreamQuota::Accounts::value_type& StreamQuota::account(QuotaScope scope, const std::string& name,
                                                        Clock::time_point now) {
    auto& accounts = at_scope(accounts_, scope);
    if (const auto found = accounts.find(name); found != accounts.end()) return *found;
    make_room(scope, now);
    return *accounts.try_emplace(name).first;
}

// In strides, so that a sweep costs little for each of the streams that made it necessary.
void StreamQuota::make_room(QuotaScope scope, Clock::time_point now) {
    auto& accounts = at_scope(accounts_, scope);
    auto& sweep_at = at_scope(sweep_at_, scope);
    if (accounts.size() < std::clamp(sweep_at, std::min(worth_a_sweep, most_remembered_), most_remembered_)) return;
    std::erase_if(accounts, [&](const auto& known) { return can_be_forgotten(scope, known.second, now); });
    sweep_at = 2 * accounts.size();
    if (accounts.size() < most_remembered_) return;
    std::vector<Clock::time_point> idle;
    for (const auto& [name, account] : accounts)
        if (account.streams == 0) idle.push_back(account.last_opened);
    if (idle.empty()) return;  // streams cost much more than their accounts
    const auto cut = idle.begin() + static_cast<std::ptrdiff_t>(idle.size() / 4);
    std::ranges::nth_element(idle, cut);
    std::erase_if(accounts,
                  [&](const auto& known) { return known.second.streams == 0 && known.second.last_opened <= *cut; });
}

void StreamQuota::turn_day(QuotaMoment now) {
    const auto day = std::chrono::floor<std::chrono::days>(now.wall);
    if (!day_ || day < *day_) day_ = day;  // set back: what was counted counts on
    if (day == *day_) return;
    if (day_turned_ && now.steady - *day_turned_ < shortest_day) return;
    day_ = day;
    day_turned_ = now.steady;
    for (auto& accounts : accounts_)
        for (auto& [name, account] : accounts) account.bytes = 0;
}

QuotaUse StreamQuota::use(QuotaMoment now, std::size_t rows) {
    turn_day(now);
    QuotaUse use{*day_, until_midnight(now.wall), {}};
    for (const auto scope : quota_scopes) {
        auto& shown = at_scope(use.scopes, scope);
        shown.limits = at_scope(settings_, scope);
        for (const auto& [name, account] : at_scope(accounts_, scope))
            if (account.streams != 0 || account.bytes != 0)
                shown.rows.push_back({name, account.streams, account.bytes});
        shown.known = shown.rows.size();
        std::ranges::sort(shown.rows, busier);
        shown.rows.resize(std::min(rows, shown.rows.size()));
    }
    return use;
}

DayVolumes StreamQuota::volumes(QuotaMoment now) {
    turn_day(now);
    DayVolumes volumes{*day_, {}};
    for (const auto scope : quota_scopes)
        for (const auto& [name, account] : at_scope(accounts_, scope))
            if (account.bytes != 0) at_scope(volumes.bytes, scope).emplace(name, account.bytes);
    return volumes;
}

void StreamQuota::restore(const DayVolumes& earlier, QuotaMoment now) {
    turn_day(now);
    if (earlier.day < *day_) return;  // a later one was counted by a clock that was wrong, and counts as today
    for (const auto scope : quota_scopes)
        for (const auto& [name, bytes] : at_scope(earlier.bytes, scope))
            account(scope, name, now.steady).second.bytes += bytes;
}

}  // namespace device_streams::hub
