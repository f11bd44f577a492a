"""Running programs: their output is kept, only what a test started is ever killed."""
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("DS_BIN_DIR", ROOT / "build/release/bin")).resolve()
SANITIZED = any(name in str(BIN) for name in ("asan", "tsan"))
# Sanitizers and a busy machine make everything slower; no test depends on being fast.
PATIENCE = 60 if SANITIZED else 30

SANITIZER_REPORT = re.compile(
    r"(ERROR|WARNING|SUMMARY): (Address|Thread|Leak|UndefinedBehavior)Sanitizer|runtime error: |terminate called"
    r"|Assertion .* failed"
)


def wait_until(condition, what, seconds=None):
    """Polls until condition() is true and returns its value; fails with `what` (or what it returns) in the message."""
    deadline = time.monotonic() + (seconds or PATIENCE)
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited too long: {what() if callable(what) else what}"
        time.sleep(0.02)


# Tests run in several processes at a time: each takes ports from a range of its own, as long passes before one is used.
# The last range is for what is no worker of pytest, as a bench.
WORKERS, PORTS_EACH = 8, 1600
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", f"gw{WORKERS}").removeprefix("gw")) % (WORKERS + 1)
_first_port = 15000 + _worker * PORTS_EACH
_given_ports = set()
_reserved_ports = []


def reserve_ports(ports):
    """From now on free_port() gives these, until they are used up: for processes that begin as copies of one."""
    _reserved_ports[:] = ports


def free_port():
    """A port below the range from which the kernel picks ports for outgoing connections; never the same twice."""
    if _reserved_ports:
        return _reserved_ports.pop()
    while True:
        port = random.randrange(_first_port, _first_port + PORTS_EACH)
        if port in _given_ports:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given_ports.add(port)
        return port


def is_listening(port, address=None):
    """On any address, or on this one of IPv4. Looks into the kernel's table: to connect would open a stream."""
    wanted = socket.inet_aton(address)[::-1].hex().upper() if address else ""
    wanted += f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        lines = pathlib.Path(table).read_text().splitlines()[1:]
        if any(line.split()[3] == "0A" and line.split()[1].endswith(wanted) for line in lines):
            return True
    return False


def queued_bytes(port, peer_port):
    """Of a TCP connection on this machine: what waits to be read at `port`, and what its other end has to send."""
    here, there = f":{port:04X}", f":{peer_port:04X}"
    total = 0
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues = line.split()[:5]
        sending, receiving = (int(size, 16) for size in queues.split(":"))
        if local.endswith(here) and remote.endswith(there):
            total += receiving
        elif local.endswith(there) and remote.endswith(here):
            total += sending
    return total


def status_bytes(pid, field):
    """A size from /proc/PID/status, as VmRSS, VmHWM or RssAnon."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)[1]) << 10


def descriptor_count(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def environment_without_proxy():
    """The programs read these variables, but the network of the tests is this machine only."""
    proxy = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")
    return {name: value for name, value in os.environ.items() if name not in proxy}


class Program:
    """One running program. Everything it prints goes to one file, across restarts."""

    def __init__(self, name, argv, directory, environment=None, descriptors=()):
        self.name = name
        self.argv = [str(part) for part in argv]
        self.output_file = pathlib.Path(directory) / f"{name}.log"
        self.environment = {**environment_without_proxy(), **(environment or {})}
        self.descriptors = descriptors  # of ours, that it gets as well
        self.process = None
        self.expected_exit = {0}
        self.cmdlines = []
        self.exits = []

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        assert self.process is None, f"{self.name} runs already"
        with open(self.output_file, "ab") as output:
            self.process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
                pass_fds=self.descriptors,
            )
        return self

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def output(self):
        return self.output_file.read_text(errors="replace") if self.output_file.exists() else ""

    def mark(self):
        """Where the output stands now; pass it to wait_for to ignore what came before."""
        return len(self.output())

    def wait_for(self, pattern, since=0, seconds=None):
        """Waits for a line; returns the match."""
        expression = re.compile(pattern)

        def seen():
            match = expression.search(self.output(), since)
            assert match or self.is_alive(), f"{self.name} ended before {pattern!r}:\n{self.output()[-3000:]}"
            return match

        return wait_until(seen, f"{self.name} to print {pattern!r}; it printed:\n{self.output()[-3000:]}", seconds)

    def remember_cmdline(self):
        try:
            raw = pathlib.Path(f"/proc/{self.pid}/cmdline").read_bytes()
            self.cmdlines.append(raw.replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            pass

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=None):
        code = self.process.wait(seconds or PATIENCE)
        self.exits.append(code)
        self.process = None
        return code

    def kill(self):
        """kill -9, as a crash or the kernel would."""
        self.remember_cmdline()
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self, seconds=None):
        """SIGTERM, a second one when streams still run, and at last SIGKILL; returns the exit code."""
        if self.process is None:
            return None
        self.remember_cmdline()
        self.process.terminate()
        try:
            return self.wait(3)
        except subprocess.TimeoutExpired:
            self.process.terminate()
        try:
            return self.wait(seconds or 15)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # leaves a trace of where it hung, in a build with sanitizers
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
            self.exits.append("hung")
            return "hung"


def run(argv, check=True, timeout=None, **options):
    """Runs a command to its end, without a terminal; returns the CompletedProcess with text output."""
    options.setdefault("stdin", subprocess.DEVNULL)
    if "input" in options:
        options.pop("stdin")
    done = subprocess.run(
        [str(part) for part in argv],
        capture_output=True,
        text=options.pop("text", True),
        timeout=timeout or 4 * PATIENCE,
        **options,
    )
    if check:
        assert done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


def find_tool(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin")
    assert found, f"{name} is missing; scripts/install-packages --tests or --bench installs it"
    return found
