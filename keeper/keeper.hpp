#pragma once

/// The main process of a systemd service whose real program may outlive it.
///
/// systemd waits at a restart until the main process has ended, and takes every stop for a stop of all its work. A
/// program that hands over goes on for as long as its streams do. So this process stands in between: it runs the
/// program, passes signals on to it and its notifications to systemd, and ends when it ends, in the same way. Only when
/// the program says that it has handed over (HANDED_OVER=1), it ends alone; KillMode=process then leaves the program to
/// its streams.
namespace device_streams::keeper {

/// Runs `command`, a null-terminated argument vector. Returns the exit code; without a service manager the program
/// takes this process over and nothing returns.
int keep(char** command);

}  // namespace device_streams::keeper
