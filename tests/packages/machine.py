"""A Debian system of its own: systemd as process 1 of namespaces, with no way to any network."""
import itertools
import pathlib
import shutil
import socket
import subprocess
import threading
import time

from tests.harness.namespaces import enter_network
from tests.harness.programs import wait_until

NAMESPACES = ("mount", "pid", "net", "uts", "ipc", "cgroup")
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "DEBIAN_FRONTEND": "noninteractive",
}


class Machine:
    """A copy of a root that boots. Commands are run as root in its home directory."""

    def __init__(self, clean_root, root):
        subprocess.run(["cp", "-a", "--reflink=auto", clean_root, root], check=True)
        self.root = pathlib.Path(root)
        self.home = self.root / "root"
        boot = pathlib.Path(__file__).with_name("boot")
        flags = [f"--{name}" for name in NAMESPACES]
        self._holder = subprocess.Popen(["unshare", "--fork", "--kill-child", *flags, boot, self.root])
        self.pid = int(wait_until(self._first_process, "the first process of the machine").split()[0])
        wait_until(self._is_up, "the machine to boot", 120)

    def _first_process(self):
        return pathlib.Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children").read_text()

    def _is_up(self):
        try:
            if pathlib.Path(f"/proc/{self.pid}/comm").read_text() != "systemd\n":
                return False
        except OSError as gone:
            raise AssertionError("the machine did not boot") from gone
        return self.run("systemctl is-system-running", check=False).stdout.strip() in ("running", "degraded")

    def command(self, text):
        flags = [f"--{name}" for name in NAMESPACES]
        return ["nsenter", "--target", str(self.pid), *flags, "sh", "-c", f"cd /root && {text}"]

    def run(self, text, check=True, typed=""):
        """What a shell says to the text; `typed` is its standard input."""
        done = subprocess.run(
            self.command(text), env=ENVIRONMENT, input=typed, capture_output=True, text=True, timeout=600
        )
        assert (
            not check or done.returncode == 0
        ), f"{text}\nended with {done.returncode}\n{done.stdout}{done.stderr}\n{self.journal()}"
        return done

    def session(self, text):
        """The same, running, with pipes to type into and to read from."""
        return subprocess.Popen(
            self.command(text),
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
        )

    def journal(self, lines=40):
        return subprocess.run(
            self.command(f"journalctl --no-pager --lines {lines}"),
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout

    def processes(self, program):
        """The ids of the processes that run this program, without its keeper."""
        return set(self.run(f"pgrep -x {program}", check=False).stdout.split())

    def files(self):
        """Every file and folder of the root that is on disk."""
        return set(self.run("find / -xdev -printf '%p\\n'").stdout.splitlines())

    def stop(self):
        self._holder.kill()
        self._holder.wait()
        shutil.rmtree(self.root)


class Slot:
    """Opens a stream after the other to a forward, and keeps how long each took to bring the server's first words."""

    def __init__(self, machine, port):
        self._machine, self._port = machine, port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._visit_until_stopped)
        self.took, self.failures, self._opened = [], [], []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _visit_until_stopped(self):
        with open(f"/proc/{self._machine.pid}/ns/net", "rb") as network:
            enter_network(network.fileno())
        while not self._stop.is_set():
            begin = time.monotonic()
            try:
                with socket.create_connection(("127.0.0.1", self._port), 30) as client:
                    client.settimeout(30)
                    assert client.recv(4) == b"SSH-", "the stream ended without a word"
                self._opened.append(time.monotonic())
                self.took.append(self._opened[-1] - begin)
            except (OSError, AssertionError) as failure:
                self.failures.append(f"{failure!r} after {time.monotonic() - begin:.2f} s")
            self._stop.wait(0.02)

    def longest_of_next(self, count):
        """Waits for as many more streams; the slowest of them."""
        begin = len(self.took)
        wait_until(lambda: len(self.took) >= begin + count, lambda: f"{count} streams; failures: {self.failures}", 120)
        return max(self.took[begin:])

    def longest(self):
        """Seconds until the slowest stream was open: the time for which the device was not reachable."""
        return max(self.took)

    def longest_gap(self):
        """Seconds between one stream that was open and the next."""
        return max(after - before for before, after in itertools.pairwise(self._opened))
