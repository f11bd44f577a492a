// A configuration file of any bytes ends as a config or as faults that name it, on every path of the reader.
#include "common/base/error.hpp"
#include "common/config/shared_options.hpp"

#include <cstdint>
#include <cstdlib>
#include <map>

using namespace device_streams;

namespace {

struct Config {
    HubSettings hub;
    struct Service {
        Endpoint address;
        StreamLimits limits;
        bool operator==(const Service&) const = default;
    };
    std::map<std::string, Service> services;
    std::vector<LogSettings> logs;
    std::chrono::milliseconds linger{5000};
    struct Run {
        std::chrono::milliseconds drain{30'000};
        unsigned threads = 1;
    } run;
    LogSettings log;
};

// Every kind of row that the programs have.
OptionTable<Config> make_table() {
    OptionTable<Config> table("fuzz", "Any bytes.");
    const auto nothing_more = [](const Secret&, const std::string&, ParseContext&) {};
    add_hub_options(table, "a fuzzer", nothing_more);
    OptionTable<Config::Service> services("service", "");
    services.add({.key = "address", .required = true}, endpoint(EndpointUse::connect), &Config::Service::address);
    add_stream_limits(services, "", &Config::Service::limits);
    table.add_map({.key = "services"}, text(), services, "address", &Config::services);
    OptionTable<LogSettings> items("item", "");
    items.add({.key = "level", .required = true}, log_level(), &LogSettings::level);
    table.add_list({.key = "logs"}, items, &Config::logs);
    add_linger_option(table, &Config::linger);
    add_run_options(table);
    add_log_options(table);
    return table;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto table = make_table();
    try {
        static_cast<void>(
            table.load({.text = std::string(reinterpret_cast<const char*>(data), size), .base = "/nowhere"}));
    } catch (const Failure& failure) {
        const bool told = failure.errc() == Errc::config_invalid && failure.detail().starts_with("config");
        if (!told) std::abort();
    }
    return 0;
}
