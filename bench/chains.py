"""The candidates: what may stand between a client and a service, each in the roles service, hub and device.

All of them: one thread for each process, TLS 1.3 with AES-128-GCM on the two legs that meet in the middle, certificates
verified, everything else as the program comes. A leg is dialled at bench.leg(role, port), where a relay may stand.
"""
import contextlib
import dataclasses
import typing

from .hops import haproxy, nginx, stunnel
from .openssh import openssh
from .ours import ours
from .processes import Processes


@dataclasses.dataclass
class Chain:
    """A running candidate; clients connect to `port`."""

    name: str
    start: typing.Callable
    processes: Processes
    port: int

    def another(self, bench):
        """The same, started now."""
        return running(bench, self.name, self.start)


@contextlib.contextmanager
def running(bench, name, start):
    """A candidate from its first process to the end of its last."""
    with Processes(bench.new_folder(name)) as processes:
        yield Chain(name, start, processes, start(bench, processes))


def loopback(bench, processes):
    """Nothing at all: what the load tools and the kernel cost."""
    return bench.target_port


CANDIDATES = {
    "ours": ours,
    "haproxy": haproxy,
    "nginx": nginx,
    "stunnel": stunnel,
    "openssh": openssh,
    "loopback": loopback,
}
