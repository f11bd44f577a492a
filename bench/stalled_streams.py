#!/usr/bin/python3
"""Measures what streams cost that nobody reads: private memory of each process with N stalled streams.

usage: bench/stalled_streams.py [N ...]   (default: 1 100 1000; binaries: build/release/bin or $DS_BIN_DIR)
Each stream is filled in both directions until nothing goes any more. A last stream then shows that others still work.
"""
import os
import pathlib
import resource
import select
import socket
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
os.environ.setdefault("DS_BIN_DIR", str(ROOT / "build/release/bin"))
sys.path.insert(0, str(ROOT / "tests/process"))
from harness.rig import Rig  # noqa: E402


def private_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"no memory figures for process {pid}")


def fill(sockets, quiet=1.0):
    """Sends on all of them until none has taken a byte for `quiet` seconds."""
    chunk = bytes(64 * 1024)
    poller = select.poll()
    by_fd = {s.fileno(): s for s in sockets}
    for fd in by_fd:
        poller.register(fd, select.POLLOUT)
    last = time.monotonic()
    total = 0
    while time.monotonic() < last + quiet:
        for fd, _ in poller.poll(100):
            try:
                total += by_fd[fd].send(chunk, socket.MSG_DONTWAIT)
                last = time.monotonic()
            except BlockingIOError:
                pass
    return total


class Stalled:
    def __init__(self, rig, listener):
        self.rig, self.listener = rig, listener
        self.clients, self.servers = [], []

    def grow_to(self, count):
        while len(self.clients) < count:
            client = self.rig.connect("missing")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
            self.clients.append(client)
            self.servers.append(self.listener.accept()[0])
        return fill(self.clients + self.servers)


def main():
    counts = sorted(int(word) for word in sys.argv[1:]) or [1, 100, 1000]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(folder)
        ports = rig.local_port
        rig.local_port = lambda name: listener.getsockname()[1] if name == "missing" else ports(name)
        try:
            measure(rig, listener, folder, counts)
        finally:
            rig.finish()


def measure(rig, listener, folder, counts):
    rig.start()
    yaml = pathlib.Path(folder) / "device-proxy.yaml"
    yaml.write_text(yaml.read_text() + f"  missing: 127.0.0.1:{listener.getsockname()[1]}\n")
    os.kill(rig.device.pid, 1)
    rig.echo()
    before = {program.name: private_bytes(program.pid) for program in rig.programs()}
    stalled = Stalled(rig, listener)
    print(f"{'streams':>8}  " + "  ".join(f"{name:>24}" for name in before))
    for count in counts:
        sent = stalled.grow_to(count)
        grown = {p.name: private_bytes(p.pid) - before[p.name] for p in rig.programs()}
        print(f"{count:8}  " + "  ".join(f"{size / 1024:10.0f} KiB {size / 1024 / count:7.1f} each"
                                        for size in grown.values()) + f"   ({sent >> 20} MiB in buffers)")
    begin = time.monotonic()
    rig.echo()
    print(f"another stream: {1000 * (time.monotonic() - begin):.0f} ms")
    for socket_ in stalled.clients + stalled.servers:
        socket_.close()


main()
