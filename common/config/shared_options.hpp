#pragma once

#include "common/base/stream_limits.hpp"
#include "common/config/options.hpp"
#include "common/config/settings.hpp"

#include <string>

/// The rows that several programs have in common.
namespace device_streams {

/// Adds a fault unless the file can be read; an empty path means that there is none.
void require_readable(const std::string& key, const std::string& path, ParseContext& reading);

/// Sees to it that there is exactly one connection string, and reads its file; false after a fault.
bool complete_connection_string(HubSettings& hub, ParseContext& reading);

/// Adds a fault unless the folder that a file is to be in is there; an empty path means that there is no file.
void require_folder(const std::string& key, const std::string& path, ParseContext& reading);

ValueKind<LogLevel> log_level();
ValueKind<LogTarget> log_target();
ValueKind<LogFormat> log_format();
ValueKind<RecordPlaneMode> record_plane_mode();

/// Whether `path` can stand in front of the paths of a hub.
bool is_path_prefix(std::string_view path);

/// `hub:`, for a Config with a member HubSettings hub. `who` names the holder of the connection string; `check` adds
/// faults for `key` when the connection string is not of the right sort.
template <typename Config>
void add_hub_options(OptionTable<Config>& table, const std::string& who,
                     std::function<void(const Secret&, const std::string& key, ParseContext&)> check) {
    const std::string text_key = "hub.connection_string";
    const std::string file_key = "hub.connection_string_file";
    table.section("hub", "The hub, and who this program is there.");
    table.add({.key = file_key,
               .flag = "--connection-string-file",
               .value = "FILE",
               .help = "File that holds the connection string of " + who +
                       ", in one line and readable for this program only. It or hub.connection_string must be given.",
               .example = who.substr(who.rfind(' ') + 1) + ".cs",
               .names_file = true},
              path(), member(&Config::hub, &HubSettings::connection_string_file));
    table.add({.key = text_key,
               .help = "The connection string itself, instead of a file. There is no flag for it: command lines are "
                       "visible to all users.",
               .example = "HostName=hub1.example.com;...",
               .optional_example = true},
              secret_text(), member(&Config::hub, &HubSettings::connection_string));
    table.add(
        {.key = "hub.ca_file",
         .flag = "--ca-file",
         .value = "FILE",
         .help = "PEM file with the certificate authority that the hub's certificate is verified against, instead "
                 "of the system's. A hub made by `stream-hub init` has its own.",
         .example = "hub-ca.pem",
         .optional_example = true,
         .names_file = true},
        path(), member(&Config::hub, &HubSettings::ca_file));
    table.add({.key = "hub.address",
               .flag = "--hub-address",
               .value = "HOST",
               .help = "Name or address to connect to instead of the connection string's HostName. The certificate "
                       "must still be for HostName.",
               .example = "192.0.2.10",
               .optional_example = true},
              text("a host name or address",
                   [](std::string_view host) { return host.find_first_of(" /") == std::string_view::npos; }),
              member(&Config::hub, &HubSettings::address));
    table.add({.key = "hub.port", .flag = "--hub-port", .help = "The hub's TLS port for everything but plain MQTT."},
              port(), member(&Config::hub, &HubSettings::port));
    table.add({.key = "hub.path_prefix",
               .help = "What stands in front of all paths where the hub is one of several services behind a front end: "
                       "the path of its public_url.",
               .example = "/streams",
               .optional_example = true},
              text("begins with / and does not end with one", is_path_prefix),
              member(&Config::hub, &HubSettings::path_prefix));
    table.add({.key = "hub.mss",
               .help = "Largest TCP segment (TCP_MAXSEG) of connections to the hub or to the proxy before it, in both "
                       "directions. For paths that swallow large packets without a word (DS-508). Default: the "
                       "system's.",
               .example = "1200",
               .optional_example = true},
              segment_size(), member(&Config::hub, &HubSettings::mss));
    table.rule({text_key, file_key}, [check, text_key, file_key](Config& config, ParseContext& reading) {
        if (!complete_connection_string(config.hub, reading)) return;
        const auto& key = config.hub.connection_string_file.empty() ? text_key : file_key;
        check(config.hub.connection_string, key, reading);
    });
    table.rule({"hub.ca_file"}, [](Config& config, ParseContext& reading) {
        require_readable("hub.ca_file", config.hub.ca_file, reading);
    });
}

/// `log:`, for a Config with a member LogSettings log.
template <typename Config>
void add_log_options(OptionTable<Config>& table) {
    table.section("log", "What is told, and where.");
    table.add({.key = "log.level", .flag = "--log-level", .help = "Lines below this level are dropped."}, log_level(),
              member(&Config::log, &LogSettings::level));
    table.add(
        {.key = "log.format",
         .flag = "--log-format",
         .help = "`automatic` is `human` on a terminal, `journald` (lines with priorities) under systemd and `json` "
                 "(one object per line) elsewhere.",
         .takes_restart = true},
        log_format(), member(&Config::log, &LogSettings::format));
    table.add({.key = "log.target",
               .help = "`stderr` is standard error; `syslog` is the system's log at /dev/log, facility daemon.",
               .takes_restart = true},
              log_target(), member(&Config::log, &LogSettings::target));
    table.add({.key = "log.file",
               .help = "File that lines are added to instead, for who has no standard error, as behind ssh's "
                       "ControlPersist. Made with mode 0600, and made again after it was renamed or removed, so that "
                       "logrotate needs no signal.",
               .example = "/var/log/" + table.program() + "/" + table.program() + ".log",
               .optional_example = true,
               .takes_restart = true},
              path(), member(&Config::log, &LogSettings::file));
    table.rule({"log.target", "log.file"}, [](Config& config, ParseContext& reading) {
        if (config.log.target == LogTarget::syslog && !config.log.file.empty())
            reading.fault("log.file", "given together with log.target: syslog, allowed: one of the two");
        require_folder("log.file", config.log.file, reading);
    });
}

/// `tls:`, for a Config with a member TlsSettings tls.
template <typename Config>
void add_tls_options(OptionTable<Config>& table) {
    table.section("tls", "How TLS is done.");
    table.add({.key = "tls.record_plane",
               .help = "`auto`: OpenSSL makes the handshake of TLS 1.3, and our own record plane then protects what is "
                       "sent, at a part of the CPU and memory, where it knows this OpenSSL and has passed its tests. "
                       "`off`: OpenSSL does all of it. A change counts for new connections."},
              record_plane_mode(), member(&Config::tls, &TlsSettings::record_plane));
}

/// `threads` and `drain`, for a Config with a member RunSettings run.
template <typename Config>
void add_run_options(OptionTable<Config>& table) {
    table.add(
        {.key = "threads", .help = "Threads that move data; 0 means one per processor core.", .takes_restart = true},
        whole_number<unsigned>(0, 1024), [](auto& config) -> auto& { return config.run.threads; });
    table.add(
        {.key = "drain",
         .help = "When the program is told to stop, running streams have this long to end by themselves.",
         .takes_restart = true},
        duration(std::chrono::milliseconds(0), std::chrono::milliseconds(std::chrono::hours(24))),
        [](auto& config) -> auto& { return config.run.drain; });
}

/// `user` and `group`, for a Config with a member RunSettings run.
template <typename Config>
void add_user_options(OptionTable<Config>& table) {
    table.add(
        {.key = "user",
         .help = "User that the program becomes when root starts it, before it opens anything else. Ports below 1024 "
                 "stay possible; this file and all that the program reads or writes must be open to that user.",
         .example = table.program(),
         .optional_example = true,
         .takes_restart = true},
        text(), [](auto& config) -> auto& { return config.run.run_as.user; });
    table.add(
        {.key = "group",
         .help = "Group that it becomes instead of the user's own.",
         .example = table.program(),
         .optional_example = true,
         .takes_restart = true},
        text(), [](auto& config) -> auto& { return config.run.run_as.group; });
    table.rule({"user", "group"}, [](Config& config, ParseContext& reading) {
        if (config.run.run_as.user.empty() && !config.run.run_as.group.empty())
            reading.fault("group", "given without user, allowed: with user only");
    });
}

/// `idle_timeout`, `max_lifetime` and `stall_timeout` below `prefix`; `limits` leads to the StreamLimits.
template <typename Config, typename... Members>
void add_stream_limits(OptionTable<Config>& table, const std::string& prefix, Members... limits) {
    const auto add = [&](const std::string& key, const std::string& help, auto limit) {
        table.add({.key = prefix + key, .help = help, .example = "12h", .optional_example = true},
                  duration<std::chrono::milliseconds>(std::chrono::seconds(1), std::chrono::hours(720)),
                  member(limits..., limit));
    };
    add("idle_timeout", "A stream that carries nothing for this long, while nothing waits, is ended.",
        &StreamLimits::idle_timeout);
    add("max_lifetime", "A stream is ended after this long.", &StreamLimits::max_lifetime);
    add("stall_timeout",
        "A stream is ended when 64 KiB wait for this long because one side does not take them. A full stream whose "
        "far end is alive waits for ever otherwise.",
        &StreamLimits::stall_timeout);
}

/// `liveness:`; `liveness` leads to the Liveness.
template <typename Config, typename... Members>
void add_liveness_options(OptionTable<Config>& table, Members... liveness) {
    using std::chrono::milliseconds;
    table.section("liveness", "How the legs of streams stay alive, and when a silent one is given up.");
    table.add({.key = "liveness.ping_every",
               .help = "A leg on which nothing was sent for this long gets a WebSocket Ping; keeps middle boxes from "
                       "forgetting it."},
              duration<milliseconds>(milliseconds(100), std::chrono::seconds(30)),
              member(liveness..., &Liveness::ping_every));
    table.add(
        {.key = "liveness.dead_after",
         .help = "A leg whose peer answers nothing for this long, while something waits for an answer, is lost. "
                 "A peer that reads slowly is not: see stall_timeout. Keep it above ping_every of the other programs."},
        duration<milliseconds>(std::chrono::seconds(1), std::chrono::hours(1)),
        member(liveness..., &Liveness::dead_after));
    table.rule({"liveness.ping_every", "liveness.dead_after"}, [liveness...](Config& config, ParseContext& reading) {
        const Liveness& read = member(liveness...)(config);
        if (read.dead_after < 2 * read.ping_every)
            reading.fault("liveness.dead_after", "too close to ping_every, allowed: at least twice as long");
    });
}

/// `streams:`, the limits of all streams; `limits` leads to the StreamLimits.
template <typename Config, typename... Members>
void add_streams_options(OptionTable<Config>& table, Members... limits) {
    table.section("streams", "What ends a stream although both its ends want it. Nothing does unless it is set.");
    add_stream_limits(table, "streams.", limits...);
}

/// `linger`, which `linger` leads to.
template <typename Config, typename... Members>
void add_linger_option(OptionTable<Config>& table, Members... linger) {
    table.add(
        {.key = "linger",
         .help = "On a stream that cannot end one direction alone, the other direction goes on until it was silent "
                 "for this long."},
        duration(std::chrono::milliseconds(0), std::chrono::milliseconds(std::chrono::minutes(10))), member(linger...));
}

}  // namespace device_streams
