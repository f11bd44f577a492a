"""What is measured: each row gives figures of one chain. CPU is that of the chain's processes, without the load's."""
import dataclasses
import time

from .hub import Hub
from .processes import Processes, allow_descriptors
from .workbench import Load

MIB, GIB = 1 << 20, 1 << 30


@dataclasses.dataclass(frozen=True)
class Effort:
    """How much of everything a measurement does."""

    bytes: int  # of a bulk transfer, in each direction
    round_trips: int
    opens: int
    idle_streams: int
    stalled_streams: int
    devices: int
    keep_alive: int  # seconds between two pings of a device
    rounds: int


FULL = Effort(
    bytes=512 * MIB,
    round_trips=5000,
    opens=200,
    idle_streams=500,
    stalled_streams=50,
    devices=20_000,
    keep_alive=20,
    rounds=5,
)
QUICK = Effort(
    bytes=64 * MIB,
    round_trips=1000,
    opens=48,
    idle_streams=100,
    stalled_streams=10,
    devices=1000,
    keep_alive=5,
    rounds=2,
)


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
    return sum(rates) ** 2 / (len(rates) * sum(rate**2 for rate in rates))


class Row:
    """measure() gives the figures by name; the table shows `columns`, the others are for the JSON."""

    most_rounds = None  # where further ones would show nothing new
    hub_column = None


@dataclasses.dataclass(frozen=True)
class Bulk(Row):
    """Bytes one way or both at once, shared by some streams."""

    way: str
    streams: int
    hub_column = "hub CPU s/GiB"

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
        return {
            **cpu_figures(cpu, (up + down) / GIB, "s/GiB"),
            "MiB/s": (up + down) / max(seconds) / MIB,
            "fairness": fairness([1 / each for each in seconds]),
        }


@dataclasses.dataclass(frozen=True)
class RoundTrip(Row):
    """Small messages there and back, one at a time, on a stream that is open."""

    size: int
    columns = ["p50 us", "p99 us", "CPU us"]

    @property
    def name(self):
        return f"round trip {self.size} B"

    def measure(self, bench, chain, effort):
        seconds, cpu, _ = work(bench, chain, "ping", self.size, effort.round_trips)
        return {**quantiles(seconds, "us", 1e6), **cpu_figures(cpu, len(seconds) / 1e6, "us")}


@dataclasses.dataclass(frozen=True)
class Open(Row):
    """New streams, up to the first byte back."""

    at_once: int
    hub_column = "hub CPU ms"
    columns = ["p50 ms", "p99 ms", "opens/s", "CPU ms"]

    @property
    def name(self):
        return f"open {self.at_once} at once"

    def measure(self, bench, chain, effort):
        count = effort.opens * (1 if self.at_once == 1 else 2)
        seconds, cpu, took = work(bench, chain, "open", count, self.at_once)
        return {**quantiles(seconds, "ms", 1e3), "opens/s": count / took, **cpu_figures(cpu, count / 1e3, "ms")}


@dataclasses.dataclass(frozen=True)
class Devices(Row):
    """Devices that are linked to a hub of ours and do nothing but ping it. A peer has nothing of the kind."""

    transport: str
    most_rounds = 1
    other_descriptors = 200
    columns = ["devices", "links/s", "CPU ms/link", "KiB/device", "CPU % of a core"]

    @property
    def name(self):
        return f"idle devices, {self.transport}"

    def measure(self, bench, chain, effort):
        if chain.name != "ours":
            return {}
        with Processes(bench.new_folder("devices")) as processes:
            count = allow_descriptors(effort.devices + self.other_descriptors) - self.other_descriptors
            hub = Hub(bench, processes.folder / "hub")
            hub.start(processes, threads=1)
            return self._link(bench, processes, hub, count, effort.keep_alive)

    def _link(self, bench, processes, hub, count, seconds):
        hub.add_devices(f"bench-{number}" for number in range(1, count + 1))
        credential = processes.folder / "devices.cs"
        hub.admin("policy", "add", "devices", "--permission", "device-connect", "--output", credential)
        port = hub.port if self.transport == "mqtt-ws" else hub.mqtt_port

        cpu, memory, begin = processes.cpu_seconds()["hub"], processes.private_bytes()["hub"], time.monotonic()
        with Load(bench.bin / "ds-devices", credential, hub.ca, self.transport, port, count, seconds) as fleet:
            took, linked = time.monotonic() - begin, processes.cpu_seconds()["hub"]
            time.sleep(seconds)  # in which each device pings once
            idle, grown = processes.cpu_seconds()["hub"] - linked, processes.private_bytes()["hub"] - memory
            fleet.go()
        return {
            "devices": count,
            "links/s": count / took,
            "CPU ms/link": 1000 * (linked - cpu) / count,
            "KiB/device": grown / 1024 / count,
            "CPU % of a core": 100 * idle / seconds,
        }
