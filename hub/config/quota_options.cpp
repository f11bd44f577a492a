#include "hub/config/quota_options.hpp"

#include "common/config/options.hpp"
#include "hub/config/hub_config.hpp"

namespace device_streams::hub {

namespace {

using Scope = QuotaOptions::Scope;

QuotaSettings limits_of(QuotaPreset preset) {
    QuotaSettings settings{};
    if (preset == QuotaPreset::azure)
        at_scope(settings, QuotaScope::hub) = {
            .opens_per_second = 5, .burst = 5, .streams = 50, .bytes_per_day = 300'000'000};
    return settings;
}

template <typename T>
void add_limit(OptionTable<HubConfig>& table, QuotaScope scope, const std::string& key, std::string help,
               std::string example, ValueKind<T> kind, std::optional<T> Scope::*limit) {
    const auto to_limit = [ scope, limit ](auto& config) -> auto& {
        return at_scope(config.quota.scopes, scope).*limit;
    };
    table.add({.key = "quota." + std::string(to_string(scope)) + "." + key,
               .help = std::move(help),
               .example = std::move(example),
               .optional_example = true},
              std::move(kind), to_limit);
}

struct ScopeWords {
    QuotaScope scope;
    std::string section;
    std::string opens, streams, bytes;  // examples
};

void add_scope(OptionTable<HubConfig>& table, const ScopeWords& words) {
    const auto key = "quota." + std::string(to_string(words.scope));
    table.section(key, words.section);
    const auto most = 1'000'000U;
    add_limit(table, words.scope, "opens_per_second", "New streams a second on average.", words.opens,
              whole_number(0U, most), &Scope::opens_per_second);
    add_limit(table, words.scope, "burst",
              "How many of them may come at once after a pause; 0: as many as come in a second.", words.opens,
              whole_number(0U, most), &Scope::burst);
    add_limit(table, words.scope, "streams", "Streams at a time, those included that are being opened.", words.streams,
              whole_number(0U, most), &Scope::streams);
    add_limit(table, words.scope, "bytes_per_day", "Payload both ways from midnight to midnight UTC.", words.bytes,
              byte_count(), &Scope::bytes_per_day);
    table.rule({key + ".opens_per_second", key + ".burst", "quota.preset"}, [key, words](HubConfig& config,
                                                                                         ParseContext& reading) {
        const auto limits = at_scope(limits_of(config.quota), words.scope);
        if (limits.burst != 0 && limits.opens_per_second == 0)
            reading.fault(key + ".burst", "without opens_per_second it means nothing, allowed: both or neither");
    });
}

}  // namespace

QuotaSettings limits_of(const QuotaOptions& options) {
    auto settings = limits_of(options.preset);
    for (const auto scope : quota_scopes) {
        const auto& written = at_scope(options.scopes, scope);
        auto& limits = at_scope(settings, scope);
        // A burst belongs to its rate.
        if (written.opens_per_second) limits.burst = 0;
        limits.opens_per_second = written.opens_per_second.value_or(limits.opens_per_second);
        limits.burst = written.burst.value_or(limits.burst);
        limits.streams = written.streams.value_or(limits.streams);
        limits.bytes_per_day = written.bytes_per_day.value_or(limits.bytes_per_day);
    }
    return settings;
}

void add_quota_options(OptionTable<HubConfig>& table) {
    table.section("quota",
                  "How many streams may be opened, run and carry. What is too much is refused with 429, or with 403 "
                  "once a day's bytes are used up; streams that run are never cut. 0 is no limit.");
    table.add(
        {.key = "quota.preset",
         .help =
             "Where the limits come from that are not set below: `none` sets none, `azure` those that Azure IoT Hub "
             "documents: 5 new streams a second, 50 at a time and 300 MB a day for the whole hub."},
        choice<QuotaPreset>({{"none", QuotaPreset::none}, {"azure", QuotaPreset::azure}}),
        member(&HubConfig::quota, &QuotaOptions::preset));
    add_scope(table, {QuotaScope::hub, "Of all streams together.", "100", "5000", "1TB"});
    add_scope(table, {QuotaScope::policy, "Of each service policy.", "50", "2000", "500GB"});
    add_scope(table, {QuotaScope::device, "Of each device, its modules included.", "5", "50", "10GB"});
    add_scope(table, {QuotaScope::address, "Of each address that services ask from (of IPv6, each /64 network).", "20",
                      "500", "100GB"});
}

}  // namespace device_streams::hub
