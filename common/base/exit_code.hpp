#pragma once

#include "common/base/error.hpp"

namespace device_streams {

/// Exit codes of all programs: those of sysexits.h, by the class of the error that ended the program. 1 is a failure
/// without a code of ours.
enum ExitCode : int {
    exit_ok = 0,
    exit_failure = 1,
    exit_usage = 64,        ///< the command line
    exit_data = 65,         ///< what a command names: it exists already, or does not exist
    exit_unknown = 68,      ///< a host or a device that nobody knows
    exit_unavailable = 69,  ///< hub, proxy, device or local service cannot be reached, or does not answer
    exit_internal = 70,     ///< a fault of this program
    exit_system = 71,       ///< this machine does not let the program do what it must: ports, descriptors
    exit_cut = 74,          ///< a stream was cut, or a file cannot be written
    exit_later = 75,        ///< refused for now: trying again helps
    exit_protocol = 76,     ///< the other end does not speak the protocol
    exit_refused = 77,      ///< a credential, a policy or a certificate does not permit it
    exit_config = 78,       ///< only a person can mend it, in configuration, credentials or certificates
};

/// The code for a program, or a stream of `service-proxy --stdio`, that ended by this error.
ExitCode exit_code_for(Errc code);

}  // namespace device_streams
