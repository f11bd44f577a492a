#!/usr/bin/python3
"""Measures what a flood of connections that never log in costs the hub, and what an honest client notices of it.

usage: bench/flood.py [--connections N]   (binaries: build/release/bin or $DS_BIN_DIR; all on loopback)
Three floods, each against an installation of its own: connections that stay silent, connections with TLS up and half a
request, and the latter from one address only. The honest client opens a stream to an echo service and waits for its
first byte back, again and again. Before and during the flood the machine does the flooder's work too.
"""
import argparse
import asyncio
import contextlib
import multiprocessing
import os
import pathlib
import resource
import socket
import ssl
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
os.environ.setdefault("DS_BIN_DIR", str(ROOT / "build/release/bin"))
sys.path.insert(0, str(ROOT / "tests/process"))
from harness.rig import Rig  # noqa: E402

PER_ADDRESS = 900  # below limits.connections_per_address, so that all of them are let in
AT_ONCE = 64
OPENINGS = 40
FLOODS = {"silent": (False, True), "half a request": (True, True), "half a request, one address": (True, False)}


def allow_descriptors():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def assail(port, number, tls, spread, turn, held):
    address = f"127.0.0.{2 + (number // PER_ADDRESS if spread else 0)}"
    async with turn:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0), ssl=tls,
                                                           server_hostname="hub" if tls else None)
            if tls:
                writer.write(b"GET / HTTP/1.1\r\nHost:")
            held.append(writer)


async def flood_for_ever(port, count, speaks_tls, spread, ready):
    tls = None
    if speaks_tls:
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    turn = asyncio.Semaphore(AT_ONCE)
    while True:  # the hub ends them after some time; a flood goes on
        held = []
        await asyncio.gather(*(assail(port, number, tls, spread, turn, held) for number in range(count)))
        ready.set()
        await asyncio.sleep(1)
        for writer in held:
            writer.transport.abort()


def flooder(*arguments):
    allow_descriptors()
    asyncio.run(flood_for_ever(*arguments))


def open_streams(rig):
    """Milliseconds from connecting until the first byte is back."""
    times = []
    for _ in range(OPENINGS):
        begin = time.monotonic()
        with rig.connect("echo") as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        times.append(1000 * (time.monotonic() - begin))
        time.sleep(0.02)
    return times


def memory(pid, field):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split(f"{field}:")[1].split()[0]) / 1024


def measure(name, count):
    speaks_tls, spread = FLOODS[name]
    with tempfile.TemporaryDirectory(prefix="flood-") as folder:
        rig = Rig(pathlib.Path(folder) / "rig")
        try:
            rig.start()
            open_streams(rig)
            before, resting = open_streams(rig), memory(rig.hub.pid, "VmRSS")
            ready = multiprocessing.Event()
            process = multiprocessing.Process(target=flooder, args=(rig.hub_port, count, speaks_tls, spread, ready))
            process.start()
            try:
                rising = open_streams(rig)
                assert ready.wait(300), "the flood has not come up"
                meanwhile = rising + open_streams(rig)
            finally:
                process.kill()
                process.join()
            return before, meanwhile, resting, memory(rig.hub.pid, "VmHWM")
        finally:
            rig.finish()


def cell(times):
    return f"{statistics.median(times):8.1f} {statistics.quantiles(times, n=20)[-1]:8.1f} {max(times):8.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=5000)
    count = parser.parse_args().connections
    allow_descriptors()
    socket.setdefaulttimeout(60)
    print(f"{count} connections; opening a stream, ms: median, 95 %, longest; the hub's memory, MiB\n")
    print(f"{'flood':30}{'before':^28}{'meanwhile':^28}{'resting':>8}{'peak':>8}")
    for name in FLOODS:
        before, meanwhile, resting, peak = measure(name, count)
        print(f"{name:30}{cell(before)}  {cell(meanwhile)}  {resting:8.1f}{peak:8.1f}", flush=True)


if __name__ == "__main__":
    main()
