"""Processes of one chain: started together, accounted together, ended by pid, whatever happens to this program."""
import contextlib
import os
import pathlib
import resource
import signal
import subprocess
import time

from tests.harness import programs

from .places import Loopback


class Trouble(Exception):
    """Something that makes the figures worthless; its text is for the user."""


def dying_with_parent(*command):
    """The same command; not even a suite that is killed leaves it running. Not by a preexec_fn, which makes Python run
    hooks around the fork that swallow an interrupt."""
    return [programs.find_tool("setpriv"), "--pdeathsig", "KILL", "--", *map(str, command)]


def family(pid):
    """A process and all that came from it and still run."""
    pids = [pid]
    for parent in pids:
        with contextlib.suppress(OSError):
            for task in pathlib.Path(f"/proc/{parent}/task").iterdir():
                pids += [int(child) for child in (task / "children").read_text().split()]
    return pids


def cpu_seconds(pid):
    """User and system time of all threads of a process, ended ones too, in nanosecond resolution: what
    clock_getcpuclockid(3) makes of a pid, which Python does not offer."""
    return time.clock_gettime((~pid << 3) | 2)


def private_bytes(pid):
    """Memory that nobody else has part in; what the process would give back if it ended."""
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty")))


def allow_descriptors(wanted):
    """Lets processes that are started from now on have so many, or as many as the system grants; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(PermissionError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, max(hard, wanted)))
    return min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[1])


class Processes:
    """Each process has a role, and is where `places` has that. Their output goes to files in `folder`."""

    def __init__(self, folder, places=Loopback()):
        self.folder = folder
        self._places = places
        self._running = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, role, *command, **options):
        log = self.folder / f"{role}.log"
        with open(log, "ab") as output, self._places.entered(role):
            process = subprocess.Popen(
                dying_with_parent(*command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **options,
            )
        self._running.append((role, process, log))

    def start_listening(self, role, port, *command, where=None, **options):
        """`where`: the role in whose place the port is, if that is another one."""
        self.start(role, *command, **options)
        with self._places.entered(where or role):
            self.wait_until(lambda: programs.is_listening(port), f"{command[0]} to listen")

    def wait_until(self, condition, what):
        def is_fulfilled():
            self.check_alive()
            return condition()

        programs.wait_until(is_fulfilled, what)

    def check_alive(self):
        for role, process, log in self._running:
            if process.poll() is not None:
                raise Trouble(f"{role} ended with {process.returncode}:\n{log.read_text(errors='replace')[-2000:]}")

    def sum_by_role(self, figure):
        """Adds up figure(pid) for all processes of each role."""
        self.check_alive()
        sums = {}
        for role, process, _ in self._running:
            sums[role] = sums.get(role, 0) + sum(figure(pid) for pid in family(process.pid))
        return sums

    def cpu_seconds(self):
        return self.sum_by_role(cpu_seconds)

    def private_bytes(self):
        return self.sum_by_role(private_bytes)

    def stop(self):
        """Asks twice, as programs may wait for streams to end, and then insists."""
        pids = [pid for _, process, _ in self._running for pid in family(process.pid)]
        for signal_number, seconds in (signal.SIGTERM, 1), (signal.SIGTERM, 3), (signal.SIGKILL, 3):
            for _, process, _ in reversed(self._running):
                process.send_signal(signal_number)
            if self._wait_gone(pids, seconds):
                break
        for pid in filter(is_running, pids):  # what a process left behind when it ended
            os.kill(pid, signal.SIGKILL)
        self._running.clear()

    def _wait_gone(self, pids, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for _, process, _ in self._running:
                process.poll()
            if not any(is_running(pid) for pid in pids):
                return True
            time.sleep(0.02)
        return False


def is_running(pid):
    return pathlib.Path(f"/proc/{pid}").exists()
