"""The network between everything, as a process of its own: passes connections on, and breaks them when told to.

The soak talks to it through a pipe. It sends ("arm", stream, leg, key, fault), where `key` is the port from which the
connection comes or (fewest, most) bytes that it has carried upwards, ("forget", stream) when the stream is over, and
("link", kind, seconds) for the device's control link. It gets ("armed", stream, key, whether the connection was found)
and ("fired", stream), the latter before the fault strikes: nothing that the fault causes can be known earlier.
"""
import asyncio
import dataclasses
import signal

from tests.harness.faulty_connection import Plan
from tests.harness.faulty_network import FaultyNetwork

LINK = -1  # in place of a stream's number
KINDS = {"reset": "reset", "cut": "end", "stall": "stall", "delay": "slow"}  # and what a FaultyNetwork calls them


@dataclasses.dataclass
class Leg:
    """Where connections of one kind come in, and where they go."""

    name: str
    listen: tuple
    target: tuple
    upwards: bool = True  # whether who connects is nearer to the streams' clients

    def way(self, direction):
        """What a FaultyNetwork calls a direction of streams."""
        return direction if self.upwards else {"up": "down", "down": "up"}[direction]


class LegNetwork(FaultyNetwork):
    """The connections of one leg; they know their stream once they are armed."""

    def __init__(self, network, leg):
        super().__init__(leg.target, leg.listen, network.loop)
        self.network, self.leg = network, leg
        self.open = set()

    def accepted(self, connection):
        self.open.add(connection)
        connection.stream = None
        self.network.arm_if_awaited(self.leg, connection)

    def ended(self, connection):
        self.open.discard(connection)

    def striking(self, connection):
        self.network.tell("fired", connection.stream)

    def alter(self, connection, way, data):
        injector = self.network.injector
        return injector.alter(connection, way, data) if injector and self.leg.name == "client" else data


class SoakNetwork:
    def __init__(self, legs, pipe, injector, loop):
        self.loop, self.pipe, self.injector = loop, pipe, injector
        self.waiting = {}  # (leg, port): (stream, fault), for connections that are not accepted yet
        self.over = loop.create_future()
        self.networks = [LegNetwork(self, leg) for leg in legs]
        loop.add_reader(pipe.fileno(), self.handle_commands)
        self.tell("ports", [network.port for network in self.networks])

    def tell(self, *message):
        self.pipe.send(message)

    def handle_commands(self):
        try:
            while self.pipe.poll():
                what, *rest = self.pipe.recv()
                {"arm": self._arm, "forget": self._forget, "link": self._strike_link}[what](*rest)
        except EOFError:
            self.loop.remove_reader(self.pipe.fileno())
            self.over.set_result(None)

    def connections(self, name):
        """(leg, connection) of all that are open."""
        return [
            (network.leg, connection)
            for network in self.networks
            if network.leg.name == name
            for connection in network.open
        ]

    def arm_if_awaited(self, leg, connection):
        if awaited := self.waiting.pop((leg.name, connection.peer_port), None):
            arm(leg, connection, *awaited)

    def _arm(self, stream, name, key, fault):
        found = [(leg, connection) for leg, connection in self.connections(name) if matches(leg, connection, key)]
        if len(found) == 1:
            arm(*found[0], stream, fault)
        elif name == "client":
            self.waiting[name, key] = (stream, fault)
        self.tell("armed", stream, key, name == "client" or len(found) == 1)

    def _forget(self, stream):
        """Its connection was over before it could be struck, and another stream's may come from the same port."""
        self.waiting = {key: awaited for key, awaited in self.waiting.items() if awaited[0] != stream}

    def _strike_link(self, kind, seconds):
        for _, connection in self.connections("link"):
            self.tell("fired", LINK, kind)
            connection.apply(KINDS[kind], seconds)


def arm(leg, connection, stream, fault):
    way = leg.way(fault.direction)
    connection.stream = stream
    connection.plan = Plan(KINDS[fault.kind], way, connection.passed[way] + fault.after, lasts=fault.seconds)


def matches(leg, connection, key):
    """Clients are known by the port from which they come, servers by the one from which the network comes to them."""
    if isinstance(key, int):
        return key == (connection.peer_port if leg.name == "client" else connection.far_port)
    return connection.stream is None and key[0] <= connection.heard[leg.way("up")] <= key[1]


def run(legs, pipe, injector):
    """The process: ends with the soak."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(run_until_over(legs, pipe, injector))


async def run_until_over(legs, pipe, injector):
    await SoakNetwork(legs, pipe, injector, asyncio.get_running_loop()).over
