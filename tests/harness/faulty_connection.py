"""One connection through a FaultyNetwork, and what may befall it."""
import asyncio
import dataclasses
import errno
import os
import socket
import struct

WAYS = ("up", "down")  # up: away from the side that connected
# Drawn at random; besides these there are "end", "stall" and "slow".
FAULTS = ("none", "reset", "cut", "half_open", "black_hole", "garbage")
PIECE = 64 * 1024
BUFFER = 256 * 1024  # what a connection may hold, so that faults strike near what the programs do at the time
UNDER_WAY = 64  # pieces that a long way takes before the first one arrives
LONGEST_PAUSE = 0.1  # seconds, between two looks at whether a reset follows the end of a direction
AFTER_END = 5  # seconds that the sides have to close what was ended at both
SLOW = 100  # pieces that pass while a connection is slow


@dataclasses.dataclass(frozen=True)
class Plan:
    """What befalls one connection. The fault comes when `at` bytes have passed in the direction `way`.

    reset: RST at both sides. cut: an end of file in that direction alone. end: one at both sides.
    half_open, black_hole: what comes in that direction, or in both, vanishes. garbage: some in front of the rest.
    stall: nothing passes, slow: little, and after a while all as before.
    """

    fault: str = "none"
    way: str = "up"
    at: int = 0
    latency: float = 0.0  # seconds, each way, for all that passes; making the connection takes a round trip more
    delay: float = 0.0  # seconds, for each piece: the next one waits
    rate: int = 0  # bytes per second and direction; 0: no limit
    lasts: float = 0.0  # seconds of a stall or slowness, or until what was swallowed is reset; 0: for ever
    garbage: bytes = b"\x00\xffgarbage\r\n\r\n"


class Broken(Exception):
    """The connection is to end with a reset at both sides."""


class Connection:
    """One connection through the network. Its methods may be called from any thread, but for apply()."""

    def __init__(self, network, near, plan):
        self.network, self.near, self.plan = network, near, plan
        self.peer_port = near.getpeername()[1]
        self.far = None
        self.far_port = None  # ours, as the far side sees it
        self.heard = {"up": 0, "down": 0}  # bytes that came, whether or not they went on
        self.passed = {"up": 0, "down": 0}
        self.swallowed = set()
        self.cut_ways = set()  # the directions that were ended early
        self.struck = False
        self.closed = False
        self.gates = {way: asyncio.Event() for way in WAYS}
        self._begin, self._latency = asyncio.get_running_loop().time(), plan.latency
        self._under_way = {way: asyncio.Queue(UNDER_WAY) for way in WAYS}
        self._slow = 0.0  # seconds, for each piece
        self._ended = set()
        self._send_failed = False
        self._politely = False
        self._broken = False
        self._task = None

    def open_gates(self):
        for gate in self.gates.values():
            gate.set()

    def swallow(self, *ways):
        """From now on what comes from there vanishes, and so does its end; without ways: from both sides."""
        self.network.call(lambda: self.swallowed.update(ways or WAYS))

    def reset(self):
        self.network.call(self._break)

    def cut(self):
        """Both sides see an end of file, as when a middle box gives up in good manners."""
        self._politely = True
        self.reset()

    def apply(self, fault, lasts=0.0, way="up"):
        """Lets a fault strike now; garbage needs a plan. Called in the network's thread."""
        if fault == "reset":
            self._break()
        elif fault in ("cut", "end"):
            self._end_early(WAYS if fault == "end" else [way])
        elif fault in ("half_open", "black_hole"):
            self.swallowed.update(WAYS if fault == "black_hole" else [way])
            if lasts:
                self._later(lasts, self._break)
        elif fault == "stall":
            for gate in self.gates.values():
                gate.clear()
            if lasts:
                self._later(lasts, self.open_gates)
        elif fault == "slow":
            self._slow = lasts / SLOW
            self._later(lasts, lambda: setattr(self, "_slow", 0.0))

    # --- its life

    def start(self):
        self._task = asyncio.ensure_future(self._run())

    async def _run(self):
        try:
            await asyncio.sleep(self._latency)
            await self.gates["up"].wait()
            await self._connect()
            sides = {"up": (self.near, self.far), "down": (self.far, self.near)}
            work = [self._pump(way, *sides[way]) for way in WAYS]
            work += [self._read_in_advance(way, sides[way][0]) for way in WAYS if self._latency]
            tasks = [asyncio.ensure_future(each) for each in work]
            try:
                await asyncio.gather(*tasks)
            finally:
                await stop(tasks)
        except (OSError, Broken, asyncio.CancelledError):
            for end in () if self._politely else self._ends():  # RST instead of FIN
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        finally:
            for end in self._ends():
                end.close()
            self.closed = True
            self.network.ended(self)

    async def _connect(self):
        self.far = socket.socket()
        self.far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self.far.setblocking(False)
        begun = self.far.connect_ex(self.network.target)
        self.far_port = self.far.getsockname()[1]  # known before the far side has accepted
        for end in self._ends():  # small pieces must not wait for each other's acknowledgements
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if begun == errno.EINPROGRESS:
            await _writable(self.far)
            begun = self.far.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if begun:
            raise OSError(begun, os.strerror(begun))

    def _ends(self):
        return [end for end in (self.near, self.far) if end]

    def _break(self):
        self._broken = True
        self._task.cancel()

    def _later(self, seconds, action):
        asyncio.get_running_loop().call_later(seconds, action)

    # --- passing on

    async def _pump(self, way, source, sink):
        while data := await self._next(way, source):
            self.heard[way] += len(data)
            before, after = self._split(way, data)
            await self._forward(way, sink, before)
            if after is not None:
                await self._strike(way, sink, after)
            await asyncio.sleep(0)  # where bytes are always there, others have their turn
        await self.gates[way].wait()
        if self._send_failed:  # the kernel told the reset to who sent there, and shows an end of file to who reads
            raise Broken
        if not self._is_mute(way):
            sink.shutdown(socket.SHUT_WR)
        self._ended.add(way)
        pause = 0.01
        while self.swallowed or len(self._ended) < 2:  # who ends where bytes are swallowed is not missed elsewhere
            pause = min(2 * pause, LONGEST_PAUSE)
            await asyncio.sleep(pause)
            if way not in self.swallowed and source.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise Broken  # an end of file, and then a reset

    async def _next(self, way, source):
        if not self._latency:
            return await self._read(way, source)
        due, data = await self._under_way[way].get()
        await asyncio.sleep(due - asyncio.get_running_loop().time())
        return data

    async def _read_in_advance(self, way, source):
        """One piece is under way behind the other, as on a long line."""
        data = True
        while data:
            data = await self._read(way, source)
            sets_out = asyncio.get_running_loop().time()
            if way == "up":  # TCP's own round trip: the near side learns after two latencies that it is connected
                sets_out = max(sets_out, self._begin + 2 * self._latency)
            await self._under_way[way].put((sets_out + self._latency, data))

    async def _read(self, way, source):
        """A side that breaks off is not missed at the other one when what it says is swallowed."""
        try:
            return await asyncio.get_running_loop().sock_recv(source, PIECE)
        except OSError:
            if way not in self.swallowed:
                raise
            await asyncio.Event().wait()

    async def _send(self, way, sink, data):
        try:
            await asyncio.get_running_loop().sock_sendall(sink, data)
        except OSError:
            if _opposite(way) not in self.swallowed:
                self._send_failed = True
                raise
            self.swallowed.add(way)

    def _split(self, way, data):
        """What passes before the fault, and what is behind it; None when it does not strike here."""
        room = self.plan.at - self.passed[way]
        if self.plan.fault == "none" or way != self.plan.way or self.struck or not 0 <= room < len(data):
            return data, None
        return data[:room], data[room:]

    def _is_mute(self, way):
        return way in self.swallowed or way in self.cut_ways

    async def _forward(self, way, sink, data):
        if not data or self._is_mute(way):
            return
        if self.plan.delay or self._slow:
            await asyncio.sleep(self.plan.delay + self._slow)
        altered = self.network.alter(self, way, data)
        await self.gates[way].wait()
        if self._broken:
            raise Broken
        if self._is_mute(way):
            return
        await self._send(way, sink, altered)
        self.passed[way] += len(data)
        if self.plan.rate:
            await asyncio.sleep(len(data) / self.plan.rate)

    # --- breaking

    async def _strike(self, way, sink, rest):
        self.struck = True
        self.network.striking(self)
        if self.plan.fault == "garbage":
            await self._send(way, sink, self.plan.garbage)
        else:
            self.apply(self.plan.fault, self.plan.lasts, way)
        if self._broken:
            raise Broken
        await self._forward(way, sink, rest)

    def _end_early(self, ways):
        if self.far is None:
            return self._break()
        self.cut_ways.update(ways)
        if len(self.cut_ways) == 2:
            self._later(AFTER_END, self._break)
        try:
            for way in ways:
                (self.far if way == "up" else self.near).shutdown(socket.SHUT_WR)
        except OSError:  # it was broken already
            self._break()


def _opposite(way):
    return WAYS[1 - WAYS.index(way)]


async def _writable(sock):
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_writer(sock, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_writer(sock)


async def stop(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
