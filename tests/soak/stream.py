"""One stream with both of its ends, and the verdict on it."""
import socket
import time

from .end import End
from .pattern import DOWN, UP
from .plan import AT_END, AT_ONCE
from .tunnel import HANDSHAKE

HANGS = 60  # seconds without any byte, when nobody pauses
RESET_TAKES = HANDSHAKE + 10  # at most, from one end to the other
FAULT_TRIES = 10
OVERHEAD = 8_000  # bytes of TLS and HTTP before the first byte of a stream, in each direction; seen: 700 to 2,000
SERVER_MAY_COME = 10  # how long after its client has gone a connection to the server may still appear


class Stream:
    """`arm(stream, key)` asks the network for the planned fault; `ended(stream)` is called once, when all is over."""

    def __init__(self, loop, plan, route, arm, ended):
        self.loop, self.plan, self.route = loop, plan, route
        self._arm, self._ended = arm, ended
        self.touched_at = None  # since when it may be broken: a fault struck, or an end aborted
        self.servers = []
        self.tries = 0
        self.hung = []
        self.asked = self.fired = self.done = False
        self.client = self._open()

    @property
    def number(self):
        return self.plan.stream

    @property
    def touched(self):
        return self.touched_at is not None

    @property
    def active(self):
        """Not merely waiting for whether a server's connection will still come."""
        return not self.client.over or any(not server.over for server in self.servers)

    def _open(self):
        fault = self.plan.fault
        sock = socket.socket()
        sock.setblocking(False)
        port = self.route.relayed_forward_port if self.plan.through_relay else self.route.forward_port
        sock.connect_ex(("127.0.0.1", port))
        self.client_port = sock.getsockname()[1]
        if fault and fault.leg == "client":
            self._ask(self.client_port)
        return End(
            self.loop,
            sock,
            self.plan.client,
            (self.number, UP, self.plan.client.size),
            (self.number, DOWN, self.plan.server.size),
            self._moved,
        )

    def accept(self, sock, first=b""):
        """A connection has reached the server, which has read `first` from it."""
        fault = self.plan.fault
        server = End(
            self.loop,
            sock,
            self.plan.server,
            (self.number, DOWN, self.plan.server.size),
            (self.number, UP, self.plan.client.size),
            self._moved,
        )
        self.servers.append(server)
        if first:
            server.take(first)
            self._moved(server)
        if fault and fault.leg == "server" and not self.asked:
            self._ask(sock.getpeername()[1])

    # --- faults

    def _ask(self, key):
        self.asked = True
        self._arm(self, key)

    def _ask_when_resting(self, server):
        """All that the client has sent is here, so its connections have carried that, and what goes with it."""
        lead = self.plan.client.hold
        if lead and not self.asked and server.received == lead:
            self._ask((lead, lead + lead // 200 + OVERHEAD))  # seen: 1/700

    def armed(self, key, found):
        """Several connections may have carried as much; not for long, if the others go on."""
        if not found and self.tries < FAULT_TRIES:
            self.tries += 1
            self.loop.after(0.1, lambda: self._arm(self, key))
        elif self.client.hold:
            self.client.release()

    def strike(self):
        """The network says that the fault strikes now."""
        self.fired = True
        if self.plan.fault.kills:
            self._touch()

    def _touch(self):
        self.touched_at = self.touched_at or time.monotonic()

    # --- its end

    def _moved(self, end):
        if end is not self.client:
            self._ask_when_resting(end)
        if not end.over:
            return
        if end.aborted:
            self._touch()
        if end is self.client and not self.servers:
            self.loop.after(SERVER_MAY_COME, self._end_if_over)
        self._end_if_over()

    def _end_if_over(self):
        if self.done or self.active:
            return
        waits = not self.servers and time.monotonic() < self.client.last_progress + SERVER_MAY_COME
        if not waits:
            self.done = True
            self._ended(self)

    def look(self, now):
        """Ends it when it hangs."""
        ends = [end for end in (self.client, *self.servers) if not end.over]
        last_progress = max(end.last_progress for end in (self.client, *self.servers))
        paused = any(end.paused for end in ends)
        silent = now > last_progress + HANGS
        too_late = self.touched and now > max(self.touched_at, last_progress) + RESET_TAKES
        if ends and not paused and (silent or too_late):
            self.hung = ends
            for end in ends:
                end.give_up()
                self._moved(end)

    # --- the verdict

    def server(self):
        """The connection that counts: others may have been opened for requests that were then repeated."""
        used = [server for server in self.servers if server.received or server.ended]
        return (used or self.servers or [None])[-1]

    def received(self):
        """Bytes, in both directions."""
        return self.client.received + sum(server.received for server in self.servers)

    def spare_connections(self):
        return max(len(self.servers) - 1, 0)

    def judge(self):
        """[(kind, sentence)] of what is wrong; nothing is after a stream that went as planned."""
        server = self.server()
        found = self._judge_end("client", self.client)
        if server:
            found += self._judge_end("server", server)
        elif not self.touched:
            found.append(("unreached", "the server got no connection"))
        for spare in self.servers:
            if spare is not server and (spare.received or spare.ended):
                found.append(("doubled", f"a second connection got {spare.received} bytes"))
        return found

    def _judge_end(self, name, end):
        found = [(kind, f"{name}: {sentence}") for kind, sentence in end.checker.faults]
        size = end.checker.pattern.size
        if end.ended and end.received < size:
            found.append(("truncated", f"{name}: clean end after {end.received} of {size} bytes"))
        if end.broken and not self.touched:
            found.append(("broken", f"{name}: {end.broken} after {end.received} of {size} bytes, {end.sent} sent"))
        if end in self.hung:
            found.append(
                (
                    "hung",
                    f"{name}: {end.received} of {size} bytes, {end.sent} of {end.outgoing.size} sent, "
                    f"{'ended' if end.ended else 'open'}",
                )
            )
        return found

    def describe(self):
        plan = self.plan
        fault = f"; {plan.fault}, {'struck' if self.fired else 'did not strike'}" if plan.fault else ""
        return (
            f"stream {plan.stream} ({self.route.service}, client port {self.client_port}): {plan.ending}; "
            f"client {_describe_end(plan.client)}; server {_describe_end(plan.server)}{fault}"
        )


def _describe_end(plan):
    rules = [("from", plan.start), ("finishes", plan.finish)]
    parts = [f"sends {plan.size}"]
    parts += [
        f"{what} {'once the other has ended' if rule == AT_END else f'once {rule} have come'}"
        for what, rule in rules
        if rule != AT_ONCE
    ]
    parts += [f"aborts once {plan.abort[1]} are {plan.abort[0]}"] if plan.abort else []
    parts += [f"pauses {seconds} s at {place}" for place, seconds in plan.pauses]
    return ", ".join(parts)
