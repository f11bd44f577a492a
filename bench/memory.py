"""Rows of private memory: of a chain that has just been started, and of what streams add to it."""
import contextlib
import threading
import time

from .rows import MIB, Row, work

ROLES = ("service", "hub", "device")


def memory_figures(sizes, unit, scale):
    if not sizes:
        return {}
    return {f"chain {unit}": sum(sizes.values()) / scale} | {f"{role} {unit}": sizes[role] / scale for role in ROLES}


class IdleMemory(Row):
    """Private memory of a chain that has just been started."""

    most_rounds = 2
    name = "memory, no streams"
    columns = [f"{role} MiB" for role in ("chain", *ROLES)]

    def measure(self, bench, chain, effort):
        with chain.lean(bench) as fresh:
            return memory_figures(fresh.processes.private_bytes(), "MiB", MIB)


class StreamMemory(Row):
    """Private memory that each open stream costs, on which nothing is under way."""

    most_rounds = 2
    name = "memory per idle stream"
    columns = [f"{role} KiB" for role in ("chain", *ROLES)]

    def measure(self, bench, chain, effort):
        with chain.lean(bench) as fresh:
            before = fresh.processes.private_bytes()
            with bench.load(fresh, "hold", effort.idle_streams) as held:
                held.go()
                time.sleep(1)  # for what is freed a moment after its use
                after = fresh.processes.private_bytes()
        grown = {role: after[role] - before[role] for role in after}
        return memory_figures(grown, "KiB", 1024 * effort.idle_streams)


class BusyMemory(Row):
    """The most private memory that a chain had at any time while many streams were busy in both directions."""

    most_rounds = 2
    streams = 50
    name = f"memory, {streams} busy streams"
    columns = [f"{role} MiB" for role in ("chain", *ROLES)]

    def measure(self, bench, chain, effort):
        size = effort.bytes // self.streams * self.streams
        with chain.lean(bench) as fresh, bench.load(fresh, "transfer", self.streams, size, size) as load:
            with watched(fresh.processes) as peaks:
                load.go()
        return memory_figures(peaks, "MiB", MIB)


@contextlib.contextmanager
def watched(processes, interval=0.05):
    """Gives a dictionary that has the peak of each role in the end."""
    peaks, over = {}, threading.Event()

    def look():
        while not over.wait(interval):
            for role, size in processes.private_bytes().items():
                peaks[role] = max(size, peaks.get(role, 0))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peaks
    finally:
        over.set()
        thread.join()


class StalledMemory(Row):
    """What a stream costs that is full in both directions, because nobody reads at either end; and that others work."""

    most_rounds = 2
    name = "memory per stalled stream"
    columns = [*(f"{role} KiB" for role in ("chain", *ROLES)), "CPU % of a core", "new stream ms"]

    def measure(self, bench, chain, effort):
        with chain.lean(bench) as fresh:
            before = fresh.processes.private_bytes()
            with bench.load(fresh, "stall", effort.stalled_streams) as stalled:
                stalled.go()
                wait_for_rest(fresh)
                figures = {"CPU % of a core": 50 * sum(cpu_within(fresh, seconds=2).values())} if before else {}
                after = fresh.processes.private_bytes()
                new, _, _ = work(bench, fresh, "open", 1, 1)
        grown = {role: after[role] - before[role] for role in after}
        return {
            **memory_figures(grown, "KiB", 1024 * effort.stalled_streams),
            **figures,
            "new stream ms": 1000 * new[0],
            f"device MiB with {effort.stalled_streams}": after.get("device", 0) / MIB,
        }


def wait_for_rest(chain, patience=60):
    """Until the chain has moved all that finds room; one that never rests shows it in the figures."""
    end = time.monotonic() + patience
    while sum(cpu_within(chain, seconds=1).values()) > 0.02 and time.monotonic() < end:
        pass


def cpu_within(chain, seconds):
    before = chain.processes.cpu_seconds()
    time.sleep(seconds)
    after = chain.processes.cpu_seconds()
    return {role: after[role] - before[role] for role in after}
