#pragma once

#include "common/base/error.hpp"

namespace device_streams {

/// Exit codes of all programs (sysexits.h where one fits).
enum ExitCode : int { exit_ok = 0, exit_failure = 1, exit_usage = 64, exit_config = 78 };

/// The code for a program that could not start: exit_usage for the command line, exit_config for what only a person can
/// mend in configuration, credentials or certificates (a service manager need not try again), else exit_failure.
constexpr ExitCode exit_code_for(Errc code) {
    switch (code) {
        case Errc::usage:
            return exit_usage;
        case Errc::config_invalid:
        case Errc::file_unreadable:
        case Errc::credential_malformed:
        case Errc::certificate_unusable:
            return exit_config;
        default:
            return exit_failure;
    }
}

}  // namespace device_streams
