"""Rows on long legs: service and device at one end of a wire, the hub at the other, and 100 ms there and back between.

Both legs go over the one wire, which ds-delay makes of a TUN device in each of two network namespaces. What one stream
can have under way is then what counts: 40 MB/s are 4 MB on each leg.
"""
import contextlib
import dataclasses
import functools
import os
import subprocess
import sys

from tests.harness import namespaces

from .places import Loopback
from .processes import Processes, Trouble, dying_with_parent
from .rows import GIB, MIB, Row, cpu_figures, work
from .workbench import Load

DELAY = 50  # milliseconds, each way
ENDS, MIDDLE = "10.213.9.1", "10.213.9.2"
FLOOR = 40e6 / MIB  # what plain TCP must reach, or the wire would be measured and not what runs over it
FLOOR_BYTES = 256 * MIB
SLOW = {"openssh": 8}  # carry only this part: a channel's window of 2 MiB is full, and the speed final, in a second
SETTINGS = ("net.ipv4.tcp_rmem=4096 131072 67108864", "net.ipv4.tcp_wmem=4096 65536 67108864")


def why_not():
    """Why there can be no such wire here; None when there can."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun is not there, or not for this user"
    return namespaces.why_not()


class LongWire(Loopback):
    """The bench itself is at the end of service and device while it lasts, and so are the target and the load."""

    def __init__(self, bench):
        self._bench, self._exit = bench, contextlib.ExitStack()

    def __enter__(self):
        with self._exit as stack:
            ends, self._middle = (stack.enter_context(contextlib.closing(namespaces.Namespace())) for _ in range(2))
            self._start_delay(stack, ends)
            for end, address in ((ends, ENDS), (self._middle, MIDDLE)):
                end.run("ip", "address", "add", address + "/24", "dev", "wire")
                end.run("ip", "link", "set", "wire", "up")
                end.run("sysctl", "-qw", *SETTINGS)
            stack.enter_context(ends.entered())
            self._targets = stack.enter_context(Processes(self._bench.new_folder("far-targets"), self))
            self._start_target("device", self._bench.target_port)
            self._start_target("hub", f"{MIDDLE}:{self._bench.target_port}")
            self._exit = stack.pop_all()
        return self

    def _start_delay(self, stack, ends):
        command = dying_with_parent(self._bench.bin / "ds-delay", DELAY, ends.path, self._middle.path)
        delay = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        stack.callback(delay.communicate)
        stack.callback(delay.kill)
        if not delay.stdout.readline():
            raise Trouble(delay.communicate()[1].strip())

    def _start_target(self, role, address):
        program = self._bench.bin / "ds-target"
        self._targets.start_listening(role, self._bench.target_port, program, address)

    def __exit__(self, *_):
        self._exit.close()

    def address(self, role):
        return {"hub": MIDDLE, "device": ENDS}.get(role, "127.0.0.1")

    def entered(self, role):
        return self._middle.entered() if role == "hub" else contextlib.nullcontext()

    def check_targets(self):
        for log in self._targets.folder.glob("*.log"):
            if log.stat().st_size:
                raise Trouble(log.read_text()[:2000])


@contextlib.contextmanager
def long_wire(bench):
    """All chains that are started meanwhile have it between them."""
    with LongWire(bench) as bench.places:
        try:
            yield bench.places
            bench.places.check_targets()
        finally:
            bench.places = Loopback()


def plain_speed(bench, up, down):
    """MiB/s of one TCP connection over the wire, without any chain."""
    with long_wire(bench) as wire:
        address = f"{wire.address('hub')}:{bench.target_port}"
        with Load(bench.bin / "ds-load", "transfer", address, 1, up, down) as load:
            return (up + down) / max(load.go()) / MIB


@functools.cache
def is_possible(bench, way):
    reason = why_not()
    if not reason and (speed := plain_speed(bench, *each_way(way, FLOOR_BYTES))) < FLOOR:
        reason = f"plain TCP over the wire reaches {speed:.1f} MiB/s {way} of the {FLOOR:.1f} that it must"
    if reason:
        print(f"\nno rows over legs of {2 * DELAY} ms: {reason}", file=sys.stderr)
    return not reason


def each_way(way, size):
    return (size, 0) if way == "up" else (0, size)


@dataclasses.dataclass(frozen=True)
class FarBulk(Row):
    """Bytes one way on one stream that has just been opened, so TCP's slow start is in the figures."""

    way: str
    columns = ["MiB/s", "CPU s/GiB"]

    @property
    def name(self):
        return f"bulk {self.way} 1, {2 * DELAY} ms legs"

    def measure(self, bench, chain, effort):
        if not is_possible(bench, self.way):
            return {}
        size = effort.bytes // SLOW.get(chain.name, 1)
        if not chain.processes.cpu_seconds():  # nothing stands between client and target
            return {"MiB/s": plain_speed(bench, *each_way(self.way, size))}
        with long_wire(bench), chain.another(bench) as far:
            seconds, cpu, _ = work(bench, far, "transfer", 1, *each_way(self.way, size))
        return {**cpu_figures(cpu, size / GIB, "s/GiB"), "MiB/s": size / max(seconds) / MIB}
