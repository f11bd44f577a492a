"""What is measured: each row gives figures of one chain. CPU is that of the chain's processes; the load's is not in it."""
import dataclasses
import time

MIB, GIB = 1 << 20, 1 << 30
ROLES = ("service", "hub", "device")


@dataclasses.dataclass(frozen=True)
class Effort:
    """How much of everything a measurement does."""
    bytes: int        # of a bulk transfer, in each direction
    round_trips: int
    opens: int
    idle_streams: int
    devices: int
    rounds: int


FULL = Effort(bytes=512 * MIB, round_trips=5000, opens=200, idle_streams=500, devices=20_000, rounds=5)
QUICK = Effort(bytes=64 * MIB, round_trips=1000, opens=48, idle_streams=100, devices=1000, rounds=2)


def work(bench, chain, *load):
    """Runs a load; its seconds, the chain's CPU seconds by role, and the time it all took."""
    with bench.load(chain, *load) as running_load:
        before, begin = chain.processes.cpu_seconds(), time.monotonic()
        seconds = running_load.go()
        took, after = time.monotonic() - begin, chain.processes.cpu_seconds()
    return seconds, {role: after[role] - before[role] for role in after}, took


def cpu_figures(cpu, each, unit):
    """The chain's CPU for each piece of work, and that of each of its processes; nothing when it has none."""
    if not cpu:
        return {}
    figures = {f"CPU {unit}": sum(cpu.values()) / each}
    return figures | {f"{role} CPU {unit}": seconds / each for role, seconds in cpu.items()}


def quantiles(seconds, unit, scale):
    ordered = sorted(seconds)
    return {f"p{part} {unit}": ordered[(len(ordered) - 1) * part // 100] * scale for part in (50, 99)}


def fairness(rates):
    """Jain's index: 1 when all streams are equally fast, 1/n when one has everything."""
    return sum(rates) ** 2 / (len(rates) * sum(rate ** 2 for rate in rates))


@dataclasses.dataclass(frozen=True)
class Bulk:
    """Bytes one way or both at once, shared by some streams."""
    way: str
    streams: int
    fresh = False

    @property
    def name(self):
        return f"bulk {self.way} {self.streams}"

    @property
    def columns(self):
        return ["CPU s/GiB", "MiB/s", *(["fairness"] if self.streams > 1 else [])]

    def measure(self, bench, chain, effort):
        size = effort.bytes // self.streams * self.streams
        up, down = (size if self.way in (way, "both") else 0 for way in ("up", "down"))
        seconds, cpu, _ = work(bench, chain, "transfer", self.streams, up, down)
        return {**cpu_figures(cpu, (up + down) / GIB, "s/GiB"), "MiB/s": (up + down) / max(seconds) / MIB,
                "fairness": fairness([1 / each for each in seconds])}


@dataclasses.dataclass(frozen=True)
class RoundTrip:
    """Small messages there and back, one at a time, on a stream that is open."""
    size: int
    fresh = False
    columns = ["p50 us", "p99 us", "CPU us"]

    @property
    def name(self):
        return f"round trip {self.size} B"

    def measure(self, bench, chain, effort):
        seconds, cpu, _ = work(bench, chain, "ping", self.size, effort.round_trips)
        return {**quantiles(seconds, "us", 1e6), **cpu_figures(cpu, len(seconds) / 1e6, "us")}


@dataclasses.dataclass(frozen=True)
class Open:
    """New streams, up to the first byte back."""
    at_once: int
    fresh = False
    columns = ["p50 ms", "p99 ms", "opens/s", "CPU ms"]

    @property
    def name(self):
        return f"open {self.at_once} at once"

    def measure(self, bench, chain, effort):
        count = effort.opens * (1 if self.at_once == 1 else 2)
        seconds, cpu, took = work(bench, chain, "open", count, self.at_once)
        return {**quantiles(seconds, "ms", 1e3), "opens/s": count / took, **cpu_figures(cpu, count / 1e3, "ms")}


def memory_figures(sizes, unit, scale):
    if not sizes:
        return {}
    return {f"chain {unit}": sum(sizes.values()) / scale} | {f"{role} {unit}": sizes[role] / scale for role in ROLES}


class IdleMemory:
    """Private memory of a chain that has just been started."""
    name = "memory, no streams"
    fresh = True
    columns = [f"{role} MiB" for role in ("chain", *ROLES)]

    def measure(self, bench, chain, effort):
        return memory_figures(chain.processes.private_bytes(), "MiB", MIB)


class StreamMemory:
    """Private memory that each open stream costs, on which nothing is under way."""
    name = "memory per idle stream"
    fresh = True
    columns = [f"{role} KiB" for role in ("chain", *ROLES)]

    def measure(self, bench, chain, effort):
        before = chain.processes.private_bytes()
        with bench.load(chain, "hold", effort.idle_streams) as held:
            held.go()
            time.sleep(1)  # for what is freed a moment after its use
            after = chain.processes.private_bytes()
        grown = {role: after[role] - before[role] for role in after}
        return memory_figures(grown, "KiB", 1024 * effort.idle_streams)


ROWS = [*(Bulk(way, streams) for streams in (1, 8, 64) for way in ("up", "down", "both")),
        RoundTrip(1), RoundTrip(1024), Open(1), Open(16), IdleMemory(), StreamMemory()]
