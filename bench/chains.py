"""The candidates: what may stand between a client and a service, each in the roles service, hub and device.

All of them: one thread for each process, TLS 1.3 with AES-128-GCM on the two legs that meet in the middle, certificates
verified, HAProxy's and nginx's buffers as large as makes them fastest, everything else as the program comes.
bench.places says where each role is and where a leg is dialled.
"""
import contextlib
import dataclasses
import functools
import typing

from .hops import haproxy, lean_haproxy, lean_nginx, lean_stunnel, nginx, stunnel
from .openssh import openssh
from .ours import ours
from .processes import Processes
from .record_planes import EVP, OFF, check_known, record_plane

PLANES = {"ours-evp": EVP, "ours-off": OFF}  # ours, but with another record plane than they choose themselves


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

    def lean(self, bench):
        """The same, started now as it takes the least memory."""
        return running(bench, self.name, LEAN.get(self.name, self.start))


@contextlib.contextmanager
def running(bench, name, start):
    """A candidate from its first process to the end of its last."""
    with Processes(bench.new_folder(name), bench.places) as processes:
        yield Chain(name, start, processes, start(bench, processes))


def loopback(bench, processes):
    """Nothing at all: what the load tools and the kernel cost."""
    return bench.target_port


CANDIDATES = {
    "ours": ours,
    **{name: functools.partial(ours, plane=plane) for name, plane in PLANES.items()},
    "haproxy": haproxy,
    "nginx": nginx,
    "stunnel": stunnel,
    "openssh": openssh,
    "loopback": loopback,
}
LEAN = {"haproxy": lean_haproxy, "nginx": lean_nginx, "stunnel": lean_stunnel}


def candidates_of(bin_directory, asked_for=None):
    """Those that are asked for; else all that these programs can be."""
    if asked_for is None:
        known = record_plane(bin_directory) is not None
        return {name: start for name, start in CANDIDATES.items() if known or name not in PLANES}
    for name in PLANES.keys() & asked_for.keys():
        check_known(bin_directory, PLANES[name])
    return asked_for
