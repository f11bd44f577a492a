"""What each stream does. A plan depends on the seed, the stream's number and the size limit of the moment alone."""
import dataclasses
import math
import random

AT_ONCE, AT_END = 0, math.inf  # or a number: when so many bytes have arrived

ENDINGS = {  # with weights
    "client first": 14,
    "server first": 14,
    "crossing": 16,
    "half-close by client": 14,
    "half-close by server": 12,
    "abort by client": 8,
    "abort by server": 8,
}
LARGEST = 1 << 30
LEAD = (64 << 10, 1 << 20)


@dataclasses.dataclass
class EndPlan:
    """What one end does. It sends `size` bytes."""

    size: int
    start: float = AT_ONCE
    finish: float = AT_ONCE
    pauses: tuple = ()  # (after so many received bytes, seconds): stops reading for a while
    abort: tuple = ()  # ("sent" or "received", bytes): then it resets the connection
    hold: int = 0  # stops sending there until it is released


@dataclasses.dataclass
class Fault:
    """What the network does to a stream: on which leg, and after how many more bytes in which direction."""

    leg: str  # client, service, device or server
    kind: str  # reset, cut, stall or delay
    direction: str
    after: int
    seconds: float

    @property
    def kills(self):
        return self.kind in ("reset", "cut")


@dataclasses.dataclass
class Plan:
    stream: int
    ending: str
    client: EndPlan
    server: EndPlan
    shared: bool  # goes to the service that all streams share, which knows them by their first word
    through_relay: bool  # whether the client's own connection passes the faulty network
    fault: Fault | None = None

    @property
    def stalls(self):
        return len(self.client.pauses) + len(self.server.pauses)


def random_size(dice, limit):
    """Log-uniform from 1 byte, and often nothing at all."""
    if dice.random() < 0.04:
        return 0
    return int(min(limit, LARGEST) ** dice.random())


def make_plan(seed, stream, limit, relayed_server):
    """`limit` is for all its bytes; `relayed_server` tells whether the faulty network is before the server."""
    dice = random.Random(f"{seed}/{stream}")
    up, down = _sizes(dice, limit)
    ending = dice.choices(list(ENDINGS), list(ENDINGS.values()))[0]
    if dice.random() < 0.16:
        return _faulty_plan(dice, stream, up, down, ending, relayed_server)
    return _plan(dice, stream, up, down, ending)


def _sizes(dice, limit):
    """One direction in two thirds of all streams, else both."""
    directions = dice.randrange(3)
    up = random_size(dice, limit / 2) if directions != 1 else dice.choice([0, 1, 8, 100])
    down = random_size(dice, limit / 2) if directions != 0 else dice.choice([0, 1, 8, 100])
    return up, down


def _plan(dice, stream, up, down, ending):
    # A client that ends before anything was said takes its request for a stream back: it is reset, which is no fault.
    if up == 0 and (down == 0 or ending == "half-close by client"):
        ending = "server first"
    client, server = EndPlan(up), EndPlan(down)
    if ending == "client first":
        server.finish = AT_END
    elif ending == "server first":
        client.finish = AT_END
    elif ending == "half-close by client":
        server.start = AT_END
    elif ending == "half-close by server":
        client.start = AT_END
    elif ending == "abort by client":
        client.abort = _abort(dice, up, down)
    elif ending == "abort by server":
        server.abort = _abort(dice, down, up)
    if up == 0 and client.finish == AT_ONCE:
        client.finish = 1
    client.pauses, server.pauses = _pauses(dice, down), _pauses(dice, up)
    # There the client must be the first to speak.
    shared = up >= 8 and ending != "half-close by server" and dice.random() < 0.5
    return Plan(stream, ending, client, server, shared, dice.random() < 0.5)


def _abort(dice, sends, receives):
    counter, size = ("sent", sends) if dice.random() * (sends + receives) < sends else ("received", receives)
    return counter, dice.randint(0, max(size - 1, 0))


def _pauses(dice, size):
    if size == 0 or dice.random() > 0.1:
        return ()
    places = sorted(dice.randrange(size) for _ in range(dice.randint(1, 3)))
    return tuple((place, round(dice.uniform(0.05, 2.5), 3)) for place in places)


def _faulty_plan(dice, stream, up, down, ending, relayed_server):
    if ending.startswith("abort") or ending == "half-close by server":
        ending = "crossing"
    leg = dice.choice(["client", "service", "service", "device", "device", "server"])
    if leg == "server" and not relayed_server:
        leg = "device"
    kind = dice.choice(["reset", "reset", "cut", "cut", "stall", "delay"])
    if leg in ("client", "server") and kind == "cut":
        kind = "reset"  # a FIN is all that a cut could show to a plain TCP connection, and that is a clean end
    # Which of the hub's encrypted connections carries a stream shows in how much it has carried when the stream rests.
    lead = int(LEAD[0] * (LEAD[1] / LEAD[0]) ** dice.random()) if leg in ("service", "device") else 0
    if up + down < 16:
        down = dice.randint(16, 100_000)
    plan = _plan(dice, stream, up + lead, down, ending)
    plan.client.hold = lead
    direction = "up" if dice.random() * (up + down) < up else "down"
    after = dice.randint(1, (up if direction == "up" else down))
    plan.fault = Fault(leg, kind, direction, after, round(dice.uniform(0.2, 3), 3))
    if leg == "client":
        plan.through_relay = True
    if leg == "server":
        plan.shared = False
    if lead and plan.server.start == AT_ONCE:
        plan.server.start = lead
    return plan
