"""Measures what idle devices cost one hub: memory, CPU, and a storm in which all of them log in.

Each device is linked over real TLS by the code of device-proxy, over MQTT or MQTT over WebSocket, and does nothing but
ping. A hub of its own serves each number of devices. What a further device takes (slope) and what the hub takes without
any (intercept) come from the lines through the numbers measured, and 100,000 devices are computed from them: a hub may
have no more open files than the system grants.

logins/s, CPU/login: all devices log in one behind the other, 32 at a time, with new TLS sessions. The process that
plays the devices does its part of each handshake on the same machine.
CPU per device and minute: of the hub, at pings every 20 and every 60 seconds, over whole periods of pings.
"""
import argparse
import dataclasses
import json
import pathlib
import statistics
import time

from tests.harness.programs import BIN, ROOT

from .hub import Hub
from .processes import Processes, Trouble, allow_descriptors
from .workbench import Load, Workbench

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
TRANSPORTS = {"mqtt": "MQTT", "mqtt-ws": "MQTT over WebSocket"}
OTHER_DESCRIPTORS = 200
COMPUTED_DEVICES = 100_000
SETTLED = 2  # seconds, for what is freed a moment after the last login


@dataclasses.dataclass(frozen=True)
class Effort:
    counts: tuple
    keep_alives: tuple  # seconds between two pings of a device
    seconds: int  # in which CPU is taken; a whole number of each of these intervals


FULL = Effort(counts=(9_500, 19_000), keep_alives=(20, 60), seconds=120)
QUICK = Effort(counts=(250, 500), keep_alives=(2, 6), seconds=6)


@dataclasses.dataclass
class Figures:
    """Of one hub with so many devices."""

    transport: str
    devices: int
    keep_alive: int
    private: float  # bytes
    grown: float  # bytes, since no device was linked
    logins_per_second: float
    cpu_per_login: float  # seconds
    cpu_per_device_minute: float  # seconds


def measure(bench, transport, devices, keep_alive, seconds):
    with Processes(bench.new_folder("devices")) as processes:
        hub = Hub(bench, processes.folder / "hub")
        hub.start(processes, threads=1)
        hub.add_devices(f"bench-{number}" for number in range(1, devices + 1))
        credential = processes.folder / "devices.cs"
        hub.admin("policy", "add", "devices", "--permission", "device-connect", "--output", credential)
        port = hub.port if transport == "mqtt-ws" else hub.mqtt_port

        cpu, memory, begin = processes.cpu_seconds()["hub"], processes.private_bytes()["hub"], time.monotonic()
        with Load(bench.bin / "ds-devices", credential, hub.ca, transport, port, devices, keep_alive) as fleet:
            took, linked = time.monotonic() - begin, processes.cpu_seconds()["hub"]
            time.sleep(SETTLED)
            private = processes.private_bytes()["hub"]
            idle = cpu_within(processes, seconds)
            fleet.go()
    return Figures(
        transport=transport,
        devices=devices,
        keep_alive=keep_alive,
        private=private,
        grown=private - memory,
        logins_per_second=devices / took,
        cpu_per_login=(linked - cpu) / devices,
        cpu_per_device_minute=idle * 60 / devices,
    )


def cpu_within(processes, seconds):
    """CPU seconds of the hub for each second."""
    before, begin = processes.cpu_seconds()["hub"], time.monotonic()
    time.sleep(seconds)
    return (processes.cpu_seconds()["hub"] - before) / (time.monotonic() - begin)


def line_through(figures):
    """Bytes for each further device, and without any."""
    counts, memory = [each.devices for each in figures], [each.private for each in figures]
    return statistics.linear_regression(counts, memory)


def measure_all(bench, effort, transports):
    """One line for each hub as it is measured; the figures of all of them."""
    print(
        f"{'':22}{'devices':>8}{'pings':>7}{'private MiB':>13}{'KiB/device':>12}{'logins/s':>10}"
        f"{'CPU ms/login':>14}{'CPU ms/device and minute':>26}"
    )
    results = []
    for transport in transports:
        for keep_alive in effort.keep_alives:
            for devices in effort.counts:
                got = measure(bench, transport, devices, keep_alive, effort.seconds)
                results.append(got)
                print(
                    f"{TRANSPORTS[transport]:22}{got.devices:8}{got.keep_alive:5} s{got.private / MIB:13.1f}"
                    f"{got.grown / KIB / devices:12.1f}{got.logins_per_second:10.0f}"
                    f"{1e3 * got.cpu_per_login:14.2f}{1e3 * got.cpu_per_device_minute:26.2f}",
                    flush=True,
                )
    return results


def print_lines(results, transports):
    print(f"\n{'':22}{'slope KiB/device':>18}{'intercept MiB':>15}{f'{COMPUTED_DEVICES:,} devices, GiB':>24}")
    for transport in transports:
        slope, intercept = line_through([each for each in results if each.transport == transport])
        whole = intercept + slope * COMPUTED_DEVICES
        print(f"{TRANSPORTS[transport]:22}{slope / KIB:18.2f}{intercept / MIB:15.1f}{whole / GIB:13.2f} (computed)")


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench idle-devices", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few devices, for finding mistakes rather than figures")
    parser.add_argument("--devices", type=int, nargs="+", metavar="COUNT", help="at least two numbers of devices")
    parser.add_argument("--transport", choices=TRANSPORTS, help="only this one")
    parser.add_argument(
        "--json",
        type=pathlib.Path,
        default=ROOT / "build/bench/idle-devices.json",
        help="every figure (build/bench/idle-devices.json)",
    )
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    effort = QUICK if arguments.quick else FULL
    if arguments.devices:
        effort = dataclasses.replace(effort, counts=tuple(arguments.devices))
    counts = effort.counts
    if len(set(counts)) < 2:
        raise Trouble("a line needs two numbers of devices")
    if allow_descriptors(max(counts) + OTHER_DESCRIPTORS) < max(counts) + OTHER_DESCRIPTORS:
        raise Trouble(f"the system grants too few open files for {max(counts)} devices")
    transports = [arguments.transport] if arguments.transport else list(TRANSPORTS)
    with Workbench(BIN) as bench:
        results = measure_all(bench, effort, transports)
    print_lines(results, transports)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps([dataclasses.asdict(each) for each in results], indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except Trouble as trouble:
        raise SystemExit(f"scripts/bench: {trouble}") from None
