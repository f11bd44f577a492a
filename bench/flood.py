"""Measures what a flood of connections that never log in costs the hub, and what an honest client notices of it.

Four floods, each against an installation of its own: connections that stay silent, connections with TLS up and half a
request, the latter from one address only, and more silent ones from one address than it may have. A flood ends its
connections after a second and begins anew. The honest client opens a stream to an echo service and waits for its first
byte back, again and again. Before and during the flood the machine does the flooder's work too.

held, refused, late, failed: of the last whole round, as the flooder sees it: still open when the round is up, closed
by the hub at once, closed because the round took longer than the hub waits, not even connected. queue: the most
connections that waited at one time for the hub to accept them, as an honest client must behind them; beyond
net.core.somaxconn the kernel drops what comes, and a client tries again after a second.
"""
import argparse
import asyncio
import collections
import contextlib
import dataclasses
import multiprocessing
import pathlib
import resource
import socket
import ssl
import statistics
import tempfile
import threading
import time

from tests.harness.programs import status_bytes
from tests.harness.rig import Rig

PER_ADDRESS = 900  # below limits.connections_per_address, so that all of them are let in
AT_ONCE = 64
OPENINGS = 200
ROUNDS = 3  # of the flood, at least, while the honest client is measured
REFUSED_WITHIN = 5  # what is closed within them was refused; limits.tls_timeout and head_timeout are 10 s
SETTLED = 0.5  # after the last connection, for the hub to close what it refuses


@dataclasses.dataclass
class Flood:
    name: str
    speaks_tls: bool
    addresses: int  # 0: as many as keep each below its limit

    def address(self, number):
        return f"127.0.0.{2 + (number % self.addresses if self.addresses else number // PER_ADDRESS)}"


FLOODS = [
    Flood("silent", False, 0),
    Flood("half a request", True, 0),
    Flood("half a request, one address", True, 1),
    Flood("silent, one address", False, 1),
]


def allow_descriptors():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


# --- the flood


class Stranger(asyncio.Protocol):
    """A connection that notes when the hub ends it."""

    def __init__(self):
        self.transport, self.begin, self.end = None, time.monotonic(), None

    def connection_made(self, transport):
        self.transport = transport

    def eof_received(self):
        self.end = self.end or time.monotonic()

    def connection_lost(self, _):
        self.eof_received()

    def fate(self):
        if self.end is None:
            return "held"
        return "refused" if self.end - self.begin < REFUSED_WITHIN else "late"


async def connect(port, address):
    """None: there was no connection."""
    plain = socket.socket()
    plain.setblocking(False)
    try:
        plain.bind((address, 0))
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
    except OSError:
        plain.close()
        return None
    return plain


async def assail(port, flood, number, tls, turn):
    """A stranger, or what became of the attempt."""
    async with turn:
        plain = await connect(port, flood.address(number))
        if plain is None:
            return "failed"
        try:
            _, stranger = await asyncio.get_running_loop().create_connection(
                Stranger, sock=plain, ssl=tls, server_hostname="hub" if tls else None
            )
        except OSError:  # ended during the handshake; ssl.SSLError is one
            plain.close()
            return "refused"
        if tls:
            stranger.transport.write(b"GET / HTTP/1.1\r\nHost:")
        return stranger


async def one_round(port, count, flood, tls):
    turn = asyncio.Semaphore(AT_ONCE)
    fates = await asyncio.gather(*(assail(port, flood, number, tls, turn) for number in range(count)))
    strangers = [fate for fate in fates if isinstance(fate, Stranger)]
    await asyncio.sleep(SETTLED)
    tally = collections.Counter(fate for fate in fates if not isinstance(fate, Stranger))
    tally.update(stranger.fate() for stranger in strangers)
    return strangers, tally


async def flood_for_ever(port, count, flood, rounds):
    tls = None
    if flood.speaks_tls:
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    while True:  # the hub ends them after some time; a flood goes on
        strangers, tally = await one_round(port, count, flood, tls)
        rounds.put(tally)
        await asyncio.sleep(1)
        for stranger in strangers:
            stranger.transport.abort()


def flooder(*arguments):
    allow_descriptors()
    asyncio.run(flood_for_ever(*arguments))


@contextlib.contextmanager
def flooding(port, count, flood):
    """Gives the queue that gets the tally of each round."""
    rounds = multiprocessing.Queue()
    process = multiprocessing.Process(target=flooder, args=(port, count, flood, rounds))
    process.start()
    try:
        yield rounds
    finally:
        process.kill()
        process.join()


# --- who is honest, and what is measured


def open_stream(rig):
    """Milliseconds from connecting until the first byte is back."""
    begin = time.monotonic()
    with rig.connect("echo") as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
    return 1000 * (time.monotonic() - begin)


def open_streams(rig):
    times = []
    for _ in range(OPENINGS):
        times.append(open_stream(rig))
        time.sleep(0.02)
    return times


def memory(pid, field):
    return status_bytes(pid, field) / (1 << 20)


def waiting_at(port):
    """Connections that have not been accepted yet; listeners stand first in the kernel's table."""
    with open("/proc/net/tcp", "rb", buffering=0) as table:
        for line in table.read(4096).decode().splitlines()[1:]:
            fields = line.split()
            if len(fields) > 4 and fields[1].endswith(f":{port:04X}") and fields[3] == "0A":
                return int(fields[4].split(":")[1], 16)
    return 0


@contextlib.contextmanager
def longest_queue(port):
    """Gives a list whose only item grows."""
    longest, over = [0], threading.Event()

    def look():
        while not over.wait(0.005):
            longest[0] = max(longest[0], waiting_at(port))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield longest
    finally:
        over.set()
        watcher.join()


@dataclasses.dataclass
class Result:
    tally: collections.Counter
    before: list
    meanwhile: list
    resting: float
    peak: float
    queue: int


def measure(flood, count):
    with tempfile.TemporaryDirectory(prefix="flood-") as folder:
        rig = Rig(pathlib.Path(folder) / "rig")
        try:
            rig.start()
            open_streams(rig)
            before, resting = open_streams(rig), memory(rig.hub.pid, "VmRSS")
            meanwhile = []
            with longest_queue(rig.hub_port) as queue, flooding(rig.hub_port, count, flood) as rounds:
                for _ in range(ROUNDS):
                    while rounds.empty():
                        meanwhile.append(open_stream(rig))
                        time.sleep(0.02)
                    tally = rounds.get()
            return Result(tally, before, meanwhile, resting, memory(rig.hub.pid, "VmHWM"), queue[0])
        finally:
            rig.finish()


def cell(times):
    figures = statistics.median(times), statistics.quantiles(times, n=100)[-1], max(times)
    return f"{len(times):6}" + "".join(f"{figure:8.1f}" for figure in figures)


def main():
    parser = argparse.ArgumentParser(
        prog="scripts/bench flood", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--connections", type=int, default=5000)
    count = parser.parse_args().connections
    allow_descriptors()
    socket.setdefaulttimeout(60)
    print(f"{count} connections; opening a stream, ms: number, median, 99 %, longest; the hub's memory, MiB\n")
    print(
        f"{'flood':28}{'held':>6}{'refused':>8}{'late':>6}{'failed':>7}{'before':^30}{'meanwhile':^30}"
        f"{'resting':>8}{'peak':>8}{'queue':>7}"
    )
    for flood in FLOODS:
        got = measure(flood, count)
        print(
            f"{flood.name:28}{got.tally['held']:6}{got.tally['refused']:8}{got.tally['late']:6}"
            f"{got.tally['failed']:7}{cell(got.before)}{cell(got.meanwhile)}"
            f"{got.resting:8.1f}{got.peak:8.1f}{got.queue:7}",
            flush=True,
        )


if __name__ == "__main__":
    main()
