#pragma once

#include "common/app/file_watch.hpp"
#include "common/app/run.hpp"
#include "common/config/command_line.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace device_streams {

/// The configuration that a program works with, and its way to the next one: all of it or nothing. `Config` has a
/// member LogSettings log.
template <typename Config>
class Reconfiguration final : public Reloader {
 public:
    /// Gives the running component what `config` says. Throws Failure, and changes nothing, when that cannot be used.
    using Apply = std::function<void(const Config&)>;

    Reconfiguration(const OptionTable<Config>& table, LoadedConfig<Config> loaded, Log log,
                    FileWatch::Look look = stamp_of)
        : table_(table),
          sources_(std::move(loaded.sources)),
          log_(std::move(log)),
          watch_(std::move(look)),
          config_(std::move(*loaded.config)),
          started_with_(config_) {}

    /// Looks at the files from now on, and reads them once more, so that no change is missed; logs what is unwise in
    /// them. Throws as OptionTable::load.
    const Config& begin() {
        watch_.know(watch_.look(table_.files(config_)));
        Faults warnings;
        config_ = table_.load(sources_, &warnings);
        tell(warnings);
        return config_;
    }
    /// For the component, once it is made.
    void apply_with(Apply apply) { apply_ = std::move(apply); }

    Changes reload() override { return take(read_again(sources_)); }
    std::optional<Changes> renew() override {
        if (watch_.settled_changes().empty()) return std::nullopt;
        return take(sources_);
    }

 private:
    Changes take(ConfigSources sources) {
        // The stamps are older than what is read, and those of files that were not named before older than their use.
        const auto files = table_.files(table_.load(sources));
        auto stamps = watch_.look(files);
        Faults warnings;
        auto config = table_.load(sources, &warnings);
        apply_(config);
        log_.set_level(config.log.level);
        tell(warnings);
        auto changes = changes_to(config, stamps);
        watch_.know(std::move(stamps));
        config_ = std::move(config);
        sources_ = std::move(sources);
        return changes;
    }

    void tell(const Faults& warnings) const {
        for (const auto& line : warnings.lines()) log_.warning(line);
    }

    Changes changes_to(const Config& config, const FileWatch::Stamps& stamps) const {
        Changes changes{table_.changed_keys(config_, config, false), table_.changed_keys(started_with_, config, true)};
        for (auto& file : watch_.differing(stamps)) changes.used.push_back(std::move(file));
        return changes;
    }

    const OptionTable<Config>& table_;
    ConfigSources sources_;
    Log log_;
    FileWatch watch_;
    Config config_, started_with_;
    Apply apply_;
};

}  // namespace device_streams
