"""Measures how soon peers are found dead that are gone without a word, with the timings that the programs come with.

Every way to die, in every round, has an installation of its own, and all of them wait at the same time. Each holds the
control link, a stream that is quiet and one that is cut in the middle of its bytes. Rounds strike at different moments
between two pings. Packets are dropped by nftables between two network namespaces. Where these are not permitted, or not
wanted, a relay swallows what it gets, which the kernels take for delivered.
"""
import argparse
import concurrent.futures
import contextlib
import dataclasses
import datetime
import json
import multiprocessing
import os
import re
import signal
import statistics
import tempfile
import time

from tests.harness import namespaces
from tests.harness.ends import GIGABYTE, RESET
from tests.harness.faulty_connection import WAYS
from tests.harness.laboratory import Laboratory
from tests.harness.programs import free_port, reserve_ports

NEAR_ADDRESS, FAR_ADDRESS = "10.213.8.1", "10.213.8.2"
PORTS = 20  # more than an installation takes
PATIENCE = 150
PING_EVERY = 30
PROGRAMS = {"hub": "hub", "device-proxy": "device", "service-proxy": "service"}  # and what a Laboratory calls them
ENDS = {"client RST": "client", "server RST": "server"}  # and what a Stream calls them
LINK, QUIET, BUSY = "control link", "quiet stream", "busy stream"


# --- ways to die


class Straight(Laboratory):
    """No relays between the programs."""

    hub_addresses = {}


class Parted(Straight):
    """A wire in place of one leg: the service side is at its near end, the device side at its far end."""

    def __init__(self, directory, leg, near, far):
        self.far = far
        self.receivers = {"up": near, "down": far} if leg == "device" else {"up": far, "down": near}
        super().__init__(directory, host=NEAR_ADDRESS if leg == "device" else FAR_ADDRESS)
        for program in [self.device] if leg == "device" else [self.device, self.hub]:
            program.argv = far.command(*program.argv)

    def make_listener(self):
        with self.far.entered():
            return super().make_listener()


@dataclasses.dataclass(frozen=True)
class Loss:
    """All packets between a proxy and the hub are lost in these directions."""

    leg: str
    ways: tuple
    dropped: bool
    unaware = ()

    def __str__(self):
        lost = {
            WAYS: f"packets between {self.leg}-proxy and the hub",
            ("up",): f"packets from {self.leg}-proxy to the hub",
            ("down",): f"packets from the hub to {self.leg}-proxy",
        }
        return f"{lost[self.ways]} lost" + ("" if self.dropped else " (swallowed by a relay)")

    def rows(self):
        return [LINK, QUIET, BUSY] if self.leg == "device" else [QUIET, BUSY]

    @contextlib.contextmanager
    def laboratory(self, directory):
        if not self.dropped:
            yield Laboratory(directory)
            return
        with namespaces.joined(NEAR_ADDRESS, FAR_ADDRESS) as (near, far), near.entered():
            yield Parted(directory, self.leg, near, far)

    @contextlib.contextmanager
    def struck(self, lab):
        if self.dropped:
            for way in self.ways:
                lab.receivers[way].drop("")
        else:
            lab.networks[self.leg].hold_new()
            for connection in lab.networks[self.leg].open_connections():
                connection.swallow(*self.ways)
        yield


@dataclasses.dataclass(frozen=True)
class Halt:
    """A program stands still. Its kernel goes on to acknowledge what it gets."""

    name: str

    def __str__(self):
        return f"{self.name} stopped (SIGSTOP)"

    @property
    def unaware(self):
        return {
            "hub": ["hub"],
            "device-proxy": ["device-proxy", "server RST"],
            "service-proxy": ["service-proxy", "client RST"],
        }[self.name]

    def rows(self):
        return [QUIET, BUSY] if self.name == "service-proxy" else [LINK, QUIET, BUSY]

    @contextlib.contextmanager
    def laboratory(self, directory):
        yield Straight(directory)

    @contextlib.contextmanager
    def struck(self, lab):
        program = getattr(lab, PROGRAMS[self.name])
        program.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            program.signal(signal.SIGCONT)


def deaths(dropped):
    losses = [Loss(leg, ways, dropped) for leg in ("device", "service") for ways in (WAYS, ("up",), ("down",))]
    return losses + [Halt(name) for name in PROGRAMS]


# --- who notices


@dataclasses.dataclass(frozen=True)
class Notice:
    at: float
    said: str


def logged(program, *messages, **fields):
    """The program's first line with one of these messages and all these fields."""
    whole_lines = program.output().rpartition("\n")[0].splitlines()
    for line in map(json.loads, whole_lines):
        if line["message"].startswith(messages) and fields.items() <= line.items():
            return line
    return None


def notice_in_log(line):
    if line is None:
        return None
    text = re.sub(r"^hub link: ", "", line.get("reason", line["message"]))
    text = re.sub(r"(DS-\d+) (?!leg to|device leg|service leg)[^:]*: ", r"\1 ", text)  # what the code is called
    text = re.sub(r"(: a leg was lost)?(\. [A-Z].*)?$", "", text)  # and what to do next
    text = f"{line['code']} {text}" if "code" in line else text
    return Notice(datetime.datetime.fromisoformat(line["time"]).timestamp(), text)


def link_witnesses(lab):
    return {
        "hub": lambda: notice_in_log(logged(lab.hub, "device link down")),
        "device-proxy": lambda: notice_in_log(logged(lab.device, "hub link: ")),
    }


def stream_witnesses(lab, stream):
    name = logged(lab.service, "stream opened", client=f"127.0.0.1:{stream.client.port}")["stream"]

    def in_log(program):
        return lambda: notice_in_log(logged(program, "stream ended", stream=name))

    def at(end):
        return lambda: Notice(time.time(), "" if end.saw() == RESET else end.saw()) if end.is_over() else None

    return {column: in_log(getattr(lab, program)) for column, program in PROGRAMS.items()} | {
        column: at(getattr(stream, end)) for column, end in ENDS.items()
    }


def wait_for_all(witnesses):
    """What each of them noticed; who noticed nothing in time is missing."""
    seen = {}
    deadline = time.monotonic() + PATIENCE
    while len(seen) < len(witnesses) and time.monotonic() < deadline:
        for key in witnesses.keys() - seen.keys():
            if notice := witnesses[key]():
                seen[key] = notice
        time.sleep(0.05)
    return seen


# --- measuring


def measure(death, phase, ports):
    """{(row, column): (seconds, what was said)}; seconds are None for who noticed nothing."""
    reserve_ports(ports)  # installations that start together must not pick the same
    with tempfile.TemporaryDirectory() as directory, death.laboratory(directory) as lab:
        try:
            lab.start()
            return strike(lab, death, phase)
        finally:
            lab.finish()


def strike(lab, death, phase):
    quiet, busy = lab.open(), lab.open()
    quiet.client.send(1000)
    quiet.server.wait_received(1000)
    sources = {LINK: link_witnesses(lab), QUIET: stream_witnesses(lab, quiet), BUSY: stream_witnesses(lab, busy)}
    witnesses = {
        (row, column): source
        for row in death.rows()
        for column, source in sources[row].items()
        if column not in death.unaware
    }
    time.sleep(phase)
    for end in busy.ends():
        end.send(GIGABYTE)
    for end in busy.ends():
        end.wait_received(1_000_000)
    begin = time.time()
    with death.struck(lab):
        seen = wait_for_all(witnesses)
        if (LINK, "hub") in seen:
            assert not lab.is_online(), "the hub says that the device is online"
    return {key: (seen[key].at - begin, seen[key].said) if key in seen else (None, "") for key in witnesses}


def measure_all(dying, rounds):
    """The results of all rounds for each of them."""
    phases = [13 * number % PING_EVERY for number in range(rounds)]  # spread out, and so modulo the keep-alive as well
    jobs = [(death, phase, [free_port() for _ in range(PORTS)]) for phase in phases for death in dying]
    results = {death: [] for death in dying}
    workers = min(len(jobs), 16 * os.cpu_count())
    with concurrent.futures.ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
        for (death, _, _), result in zip(jobs, pool.map(measure, *zip(*jobs))):
            results[death].append(result)
    return results


# --- the table


def cell(times):
    if not times:
        return "–"
    if None in times:
        return f"not within {PATIENCE} ({times.count(None)} of {len(times)})"
    if len(times) == 1:
        return f"{times[0]:.1f}"
    return f"{statistics.median(times):.1f} ({min(times):.1f}..{max(times):.1f})"


def print_table(results):
    columns = [*PROGRAMS, *ENDS]
    heading = ["death", "of what", *columns, "what they said"]
    print("| " + " | ".join(heading) + " |\n" + "|---" * len(heading) + "|")
    for death, rounds in results.items():
        for row in death.rows():
            found = {
                column: [result[row, column] for result in rounds if (row, column) in result] for column in columns
            }
            said = [
                f"{column}: {' or '.join(texts)}"
                for column in columns
                if (texts := sorted({text for _, text in found[column] if text}))
            ]
            times = [cell([seconds for seconds, _ in found[column]]) for column in columns]
            print("| " + " | ".join([str(death), row, *times, "; ".join(said)]) + " |")


def main():
    options = argparse.ArgumentParser(prog="scripts/bench dead-peers", description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--rounds", type=int, default=3, help="default: 3")
    options.add_argument("--no-namespaces", action="store_true", help="swallow bytes in a relay, drop no packets")
    given = options.parse_args()
    why_not = "the relay was asked for" if given.no_namespaces else namespaces.why_not()
    print(
        f"Seconds until noticed: median (min..max) of {given.rounds} rounds. –: stands still, or behind who does; "
        "or has no part in it." + (f" No packets were dropped: {why_not}." if why_not else "") + "\n"
    )
    print_table(measure_all(deaths(dropped=not why_not), given.rounds))


main()
