"""How many round trips a stream needs until its first byte is back, counted with a clock: on legs where a round trip
takes 100 ms, nothing else takes long."""
import statistics
import time

from tests.harness.faulty_connection import Plan
from tests.harness.faulty_network import FaultyNetwork

from .chains import running
from .comparison import say
from .places import Loopback

DELAY = 0.05  # seconds, each way
LEGS = {"both legs": ("service", "device"), "service leg": ("service",), "device leg": ("device",)}
COLUMNS = ("cold", "warm", "16 at once")
WARM_STREAMS = 5


class SlowLegs(Loopback):
    """Puts a network that is far away on each leg that one of `roles` dials, at an address of its own."""

    addresses = {"service": "127.0.0.2", "device": "127.0.0.3"}

    def __init__(self, roles):
        self._roles, self._networks = roles, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for network in self._networks.values():
            network.close()

    def leg(self, role, port, to="hub"):
        if role not in self._roles:
            return "127.0.0.1"
        if (role, port) not in self._networks:
            network = FaultyNetwork(("127.0.0.1", port), (self.addresses[role], port))
            network.plan_for = lambda number: Plan(latency=DELAY)
            self._networks[role, port] = network
        return self.addresses[role]


def count_all(bench, candidates, rounds):
    """candidate -> slow legs -> one of COLUMNS -> round trips, each round's"""
    counts = {}
    for number in range(rounds):
        for name, start in candidates.items():
            for legs, roles in LEGS.items():
                say(f"round {number + 1} of {rounds}: {name}, {legs}")
                found = counts.setdefault(name, {}).setdefault(legs, {column: [] for column in COLUMNS})
                for column, value in count(bench, name, start, roles).items():
                    found[column].append(value)
    say("")
    return counts


def count(bench, name, start, roles):
    with SlowLegs(roles) as legs:
        bench.places = legs
        with running(bench, name, start) as chain:
            cold = open_streams(bench, chain, 1)
            warm = statistics.median(open_streams(bench, chain, 1) for _ in range(WARM_STREAMS))
            return dict(zip(COLUMNS, (cold, warm, open_streams(bench, chain, 16))))


def open_streams(bench, chain, at_once):
    """The median's round trips."""
    time.sleep(1)  # whatever a chain does in advance for the next stream is done by then
    with bench.load(chain, "open", at_once, at_once) as load:
        return statistics.median(load.go()) / (2 * DELAY)


def print_counts(counts):
    print(
        f"\nRound trips of {2000 * DELAY:.0f} ms from connect to the first byte back; medians.\n"
        "Cold: the first stream after the start.\n"
    )
    print(f"{'':<24}" + "".join(f"{column:<14}" for column in COLUMNS).rstrip())
    for name, by_legs in counts.items():
        for legs, found in by_legs.items():
            print(
                f"{name + ', ' + legs:<24}"
                + "".join(f"{statistics.median(found[column]):<14.2f}" for column in COLUMNS).rstrip()
            )
