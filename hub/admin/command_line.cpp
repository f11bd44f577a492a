#include "hub/admin/command_line.hpp"

#include "common/app/private_files.hpp"
#include "common/async/block_on.hpp"
#include "common/base/error.hpp"
#include "common/config/reference.hpp"
#include "hub/admin/init.hpp"
#include "hub/admin/subcommands.hpp"

#include <CLI/CLI.hpp>
#include <asio/ip/host_name.hpp>

#include <iostream>

namespace device_streams::hub {

namespace {

// A hub that starts or stops is between its lock and its socket for a moment.
constexpr auto patience = std::chrono::seconds(5);

int report(const Failure& failure) {
    std::cerr << "stream-hub: " << explain(failure) << "\n";
    return exit_code_for(failure.errc());
}

CLI::App& add_init(CLI::App& app, InitOptions& options) {
    auto& init = *app.add_subcommand("init", "Make a new hub in a directory, with a CA and a certificate of its own");
    std::error_code nameless;
    options.host = asio::ip::host_name(nameless);
    init.add_option("DIR", options.directory, "New or empty directory")->required()->type_name("");
    init.add_option("--name", options.name, "Of the hub, in stream URLs")->type_name("NAME")->capture_default_str();
    init.add_option("--host", options.host, "Name or IPv4 address by which devices and services reach the hub")
        ->type_name("HOST")
        ->capture_default_str();
    init.add_option("--port", options.port, "TLS port for everything")->type_name("PORT")->capture_default_str();
    return init;
}

int make_hub(const InitOptions& options) {
    SystemClock clock;
    init_hub(options, clock);
    std::cout << describe_new_hub(options);
    return exit_ok;
}

int do_as_asked(const AdminSubcommands& asked, const HubLocation& hub) {
    SystemClock clock;
    // First of all, as a key that cannot be written down would be lost.
    std::optional<NewPrivateFile> file;
    if (asked.output()) file.emplace(*asked.output());
    auto answer = block_on(administer(hub, asked.request(), patience, clock));
    if (answer.contains("stopping"))
        std::cerr << "stream-hub: this hub is stopping: it takes no new streams and ends with those that run\n";
    const bool not_running = answer.contains("notRunning");
    const auto text = asked.text_of(result_of(std::move(answer)));
    if (!file) {
        std::cout << text << std::flush;
        return not_running ? report({Errc::hub_not_running, hub.admin_socket + ", so who is connected is not known"})
                           : int{exit_ok};
    }
    file->write(text);
    std::cerr << "stream-hub: wrote the connection string to " << *asked.output() << "\n";
    return exit_ok;
}

}  // namespace

int command_line(int argc, const char* const* argv, const std::function<int(LoadedConfig<HubConfig>)>& run_hub) {
    CLI::App app(hub_options().info().summary, "stream-hub");
    add_version_flag(app, hub_options().info().about);
    app.require_subcommand(0, 1);
    const ConfigCommand<HubConfig> config(hub_options(), app);
    std::optional<std::string> state_directory;
    app.add_option("--state-directory", state_directory,
                   "For commands: find the hub by its state directory, not by its configuration")
        ->type_name("DIR");
    app.add_subcommand("run", "Run the hub; what is done when no command is given")->fallthrough();
    bool print_commands = false;
    app.add_flag("--print-command-reference", print_commands)->group("");  // as --print-config-reference
    InitOptions init_options;
    const auto& init = add_init(app, init_options);
    const AdminSubcommands asked(app);
    if (argc <= 1) {
        std::cerr << app.help();
        return exit_usage;
    }
    if (const auto ended = parse_arguments(app, argc, argv)) return *ended;
    if (print_commands) {
        std::cout << command_markdown(app);
        return exit_ok;
    }
    try {
        if (init.parsed()) return make_hub(init_options);
        const auto defaults = hub_defaults();
        if (asked.given()) {
            const auto file = config.file();
            return do_as_asked(asked, file ? location_in(*file) : find_hub(state_directory, defaults));
        }
        auto loaded = config.load(default_config(defaults));
        if (!loaded.config) return loaded.exit_code;
        return run_hub(std::move(loaded));
    } catch (const Failure& failure) {
        return report(failure);
    }
}

}  // namespace device_streams::hub
