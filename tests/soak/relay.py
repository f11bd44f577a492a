"""The network between everything, as a process of its own: passes connections on, and breaks them when told to.

The soak talks to it through a pipe. It sends ("arm", stream, leg, key, fault), where `key` is the port from which the
connection comes or (fewest, most) bytes that it has carried upwards, ("forget", stream) when the stream is over, and
("link", kind, seconds) for the device's control link. It gets ("armed", stream, key, whether the connection was found)
and ("fired", stream), the latter before the fault strikes: nothing that the fault causes can be known earlier.
"""
import dataclasses
import signal
import socket

from .end import CHUNK, reset
from .loop import READ, WRITE, Loop

_room = bytearray(CHUNK)
_view = memoryview(_room)
LINK = -1  # in place of a stream's number


@dataclasses.dataclass
class Leg:
    """Where connections of one kind come in, and where they go."""
    name: str
    listen: tuple
    target: tuple
    upwards: bool = True  # whether who connects is nearer to the streams' clients


class Flow:
    """One direction of a connection."""

    def __init__(self, source, target):
        self.source, self.target = source, target
        self.count = 0
        self.pending = b""
        self.ended = False
        self.stop_at = None  # the count at which the fault strikes


class Passage:
    """One connection through the network."""

    def __init__(self, relay, leg, near, near_port):
        self.relay, self.loop, self.leg, self.near = relay, relay.loop, leg, near
        self.far = socket.socket()
        self.far.setblocking(False)
        self.far.connect_ex(leg.target)
        self.near_port, self.far_port = near_port, self.far.getsockname()[1]  # as others see them
        for sock in (near, self.far):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        away, back = Flow(near, self.far), Flow(self.far, near)
        self.up, self.down = (away, back) if leg.upwards else (back, away)
        self.fault, self.stream = None, None
        self.paused = self.cut = self.closed = False
        self.delay = 0
        self._arrange()

    def arm(self, stream, fault):
        self.stream, self.fault = stream, fault
        flow = self.up if fault.direction == "up" else self.down
        flow.stop_at = flow.count + fault.after

    # --- passing on

    def serve(self):
        if self.closed:
            return
        try:
            for flow in (self.up, self.down):
                self._pump(flow)
        except OSError:
            return self.close(reset)
        if self.up.ended and self.down.ended and not (self.up.pending or self.down.pending):
            self.close(socket.socket.close)
        if not self.closed:
            self._arrange()

    def _pump(self, flow):
        for _ in range(2):
            if self.closed or self.paused or not self._flush(flow) or flow.ended:
                return
            room = CHUNK if flow.stop_at is None else min(CHUNK, flow.stop_at - flow.count)
            try:
                size = flow.source.recv_into(_room, room)
            except BlockingIOError:
                return
            if size == 0:
                flow.ended = True
                if not self.cut:
                    flow.target.shutdown(socket.SHUT_WR)
                return
            if not self.cut:
                self._pass_on(flow, size)

    def _pass_on(self, flow, size):
        flow.count += size
        data = _view[:size]
        if self.relay.sabotage:
            data = self.relay.sabotage.meddle(self, flow, data)
        if self.closed or self.cut:  # by the sabotage
            return
        try:
            sent = flow.target.send(data)
        except BlockingIOError:
            sent = 0
        flow.pending = bytes(data[sent:])
        if flow.count == flow.stop_at:
            self._strike(flow)
        elif self.delay:
            self.pause(self.delay)

    def _flush(self, flow):
        """True when nothing is left over."""
        if flow.pending:
            try:
                flow.pending = flow.pending[flow.target.send(flow.pending):]
            except BlockingIOError:
                pass
        return not flow.pending

    def _arrange(self):
        """A paused connection is not looked at, and does not learn of errors: nothing comes through."""
        for sock, incoming, outgoing in ((self.up.source, self.up, self.down), (self.down.source, self.down, self.up)):
            reads = not (self.paused or incoming.ended or incoming.pending)
            writes = outgoing.pending and not self.paused
            self.loop.watch(sock.fileno(), (READ if reads else 0) | (WRITE if writes else 0), self.serve)

    # --- breaking

    def _strike(self, flow):
        flow.stop_at = None
        self.relay.tell("fired", self.stream)
        self.apply(self.fault.kind, self.fault.seconds)

    def apply(self, kind, seconds):
        if kind == "reset":
            self.close(reset)
        elif kind == "cut":
            self.end_early()
        elif kind == "stall":
            self.pause(seconds)
        elif kind == "delay":
            self.delay = seconds / 100  # of each chunk
            self.loop.after(seconds, self._end_delay)

    def end_early(self):
        """A FIN to both sides wherever the bytes stand; what they still send is dropped."""
        self.cut, self.paused = True, False
        self.loop.after(5, lambda: self.close(reset))
        try:
            for flow in (self.up, self.down):
                flow.pending = b""
                flow.target.shutdown(socket.SHUT_WR)
        except OSError:
            return self.close(reset)  # it was broken already
        self._arrange()

    def pause(self, seconds):
        self.paused = True
        self.loop.after(seconds, self._go_on)

    def _go_on(self):
        self.paused = False
        self.serve()

    def _end_delay(self):
        self.delay = 0

    def close(self, how):
        if self.closed:
            return
        self.closed = True
        self.relay.passages.discard(self)
        for sock in (self.near, self.far):
            self.loop.forget(sock.fileno())
            how(sock)


class Relay:
    def __init__(self, legs, pipe, sabotage):
        self.loop, self.pipe, self.sabotage = Loop(), pipe, sabotage
        self.passages = set()
        self.waiting = {}  # (leg, port): (stream, fault), for connections that are not accepted yet
        self.running = True
        self.loop.watch(pipe.fileno(), READ, self._obey)
        self.tell("ports", [self._listen(leg) for leg in legs])

    def tell(self, *message):
        self.pipe.send(message)

    def _listen(self, leg):
        listener = socket.create_server(leg.listen, backlog=512)
        listener.setblocking(False)
        self.loop.watch(listener.fileno(), READ, lambda: self._accept(listener, leg))
        return listener.getsockname()[1]

    def _accept(self, listener, leg):
        try:
            near, address = listener.accept()
        except OSError:
            return
        near.setblocking(False)
        passage = Passage(self, leg, near, address[1])
        self.passages.add(passage)
        armed = self.waiting.pop((leg.name, address[1]), None)
        if armed:
            passage.arm(*armed)

    def _obey(self):
        try:
            while self.pipe.poll():
                what, *rest = self.pipe.recv()
                {"arm": self._arm, "forget": self._forget, "link": self._strike_link}[what](*rest)
        except EOFError:
            self.running = False

    def _arm(self, stream, leg, key, fault):
        if leg == "client":
            self._arm_client(stream, key, fault)
            return self.tell("armed", stream, key, True)
        found = [passage for passage in self.passages if passage.leg.name == leg and self._matches(passage, key)]
        if len(found) == 1:
            found[0].arm(stream, fault)
        self.tell("armed", stream, key, len(found) == 1)

    def _arm_client(self, stream, port, fault):
        for passage in self.passages:
            if passage.leg.name == "client" and passage.near_port == port:
                return passage.arm(stream, fault)
        self.waiting["client", port] = (stream, fault)

    def _forget(self, stream):
        """Its connection was over before it could be struck, and another stream's may come from the same port."""
        self.waiting = {key: armed for key, armed in self.waiting.items() if armed[0] != stream}

    @staticmethod
    def _matches(passage, key):
        if isinstance(key, int):
            return passage.far_port == key
        return passage.stream is None and key[0] <= passage.up.count <= key[1]

    def _strike_link(self, kind, seconds):
        for passage in [passage for passage in self.passages if passage.leg.name == "link"]:
            self.tell("fired", LINK, kind)
            passage.apply(kind, seconds)


def run(legs, pipe, sabotage):
    """The process: ends with the soak."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    relay = Relay(legs, pipe, sabotage)
    while relay.running:
        relay.loop.turn()
