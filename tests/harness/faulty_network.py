"""A network that misbehaves as planned: a relay between any two TCP endpoints, so it can stand on every leg.

A relay in user space cannot lose packets: what it swallows was acknowledged. That is what namespaces.py is for.
"""
import asyncio
import dataclasses
import random
import socket
import struct
import threading

WAYS = ("up", "down")  # up: away from the side that connected
FAULTS = ("none", "reset", "cut", "half_open", "black_hole", "garbage")
PIECE = 64 * 1024
BUFFER = 256 * 1024  # what a connection may hold, so that faults strike near what the programs do at the time


@dataclasses.dataclass(frozen=True)
class Plan:
    """What befalls one connection. The fault comes when `at` bytes have passed in the direction `way`."""
    fault: str = "none"
    way: str = "up"
    at: int = 0
    delay: float = 0.0  # seconds, for each piece
    rate: int = 0       # bytes per second and direction; 0: no limit
    lasts: float = 0.0  # seconds until what was swallowed silently is reset; 0: never
    garbage: bytes = b"\x00\xffgarbage\r\n\r\n"


def draw_plan(rng, most, **given):
    """A plan that strikes within the first `most` bytes, and often within the first few, when TLS is made."""
    plan = Plan(fault=rng.choice(FAULTS), way=rng.choice(WAYS), at=rng.randrange(rng.choice((4096, most, most))),
                delay=rng.choice((0, 0, 0.0005, 0.002)), rate=rng.choice((0, 0, 2_000_000, 8_000_000)),
                garbage=random.Random(rng.random()).randbytes(rng.randrange(1, 200)))
    return dataclasses.replace(plan, **given)


class Broken(Exception):
    """The connection is to end with a reset at both sides."""


class Connection:
    """One connection through the network. Its methods may be called from any thread."""

    def __init__(self, network, near, plan):
        self.network, self.near, self.plan = network, near, plan
        self.peer_port = near.getpeername()[1]
        self.far_port = None  # ours, as the far side sees it
        self.far = None
        self.heard = {"up": 0, "down": 0}  # bytes that came, whether or not they went on
        self.passed = {"up": 0, "down": 0}
        self.swallowed = set()
        self._ended = set()
        self.closed = False
        self._send_failed = False
        self.gates = {way: asyncio.Event() for way in WAYS}
        self._politely = False
        self.struck = False
        self.cut_way = None  # the direction that was ended early
        self._task = None

    def open_gates(self):
        for gate in self.gates.values():
            gate.set()

    def swallow(self, *ways):
        """From now on what comes from there vanishes, and so does its end; without ways: from both sides."""
        self.network.call(lambda: self.swallowed.update(ways or WAYS))

    def reset(self):
        self.network.call(self._task.cancel)

    def cut(self):
        """Both sides see an end of file, as when a middle box gives up in good manners."""
        self._politely = True
        self.reset()

    async def run(self):
        try:
            await self.gates["up"].wait()
            self.far = await self.network.connect()
            self.far_port = self.far.getsockname()[1]
            for end in self._ends():  # small pieces must not wait for each other's acknowledgements
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pumps = [self._pump("up", self.near, self.far), self._pump("down", self.far, self.near)]
            tasks = [asyncio.ensure_future(pump) for pump in pumps]
            try:
                await asyncio.gather(*tasks)
            finally:
                await _stop(tasks)
        except (OSError, Broken, asyncio.CancelledError):
            for end in () if self._politely else self._ends():  # RST instead of FIN
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        finally:
            for end in self._ends():
                end.close()
            self.closed = True

    def _ends(self):
        return [end for end in (self.near, self.far) if end]

    async def _pump(self, way, source, sink):
        loop = asyncio.get_running_loop()
        while data := await self._hear(way, loop.sock_recv(source, PIECE)):
            self.heard[way] += len(data)
            before, after = self._split(way, data)
            await self._forward(way, sink, before)
            if after is not None:
                await self._strike(way, sink, after)
        await self.gates[way].wait()
        if self._send_failed:  # the kernel told the reset to who sent there, and shows an end of file to who reads
            raise Broken
        if not self._is_mute(way):
            sink.shutdown(socket.SHUT_WR)
        self._ended.add(way)
        while self.swallowed or len(self._ended) < 2:  # who ends where bytes are swallowed is not missed elsewhere
            await asyncio.sleep(0.02)
            if way not in self.swallowed and source.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise Broken  # an end of file, and then a reset

    async def _hear(self, way, step):
        """A side that breaks off is not missed at the other one when what it says is swallowed."""
        try:
            return await step
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
        return way in self.swallowed or way == self.cut_way

    async def _forward(self, way, sink, data):
        await self.gates[way].wait()
        if self._is_mute(way) or not data:
            return
        if self.plan.delay:
            await asyncio.sleep(self.plan.delay)
        await self._send(way, sink, data)
        self.passed[way] += len(data)
        if self.plan.rate:
            await asyncio.sleep(len(data) / self.plan.rate)

    async def _strike(self, way, sink, rest):
        self.struck = True
        fault = self.plan.fault
        if fault == "reset":
            raise Broken
        if fault == "cut":
            self.cut_way = way
            sink.shutdown(socket.SHUT_WR)
        elif fault == "garbage":
            await self._send(way, sink, self.plan.garbage)
        else:
            self.swallowed.update(WAYS if fault == "black_hole" else [way])
            if self.plan.lasts:
                asyncio.get_running_loop().call_later(self.plan.lasts, self._task.cancel)
        await self._forward(way, sink, rest)


def _opposite(way):
    return WAYS[1 - WAYS.index(way)]


async def _stop(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class FaultyNetwork:
    """Listens on `address` and carries what connects there to `target`; plan_for(number) is a connection's plan."""

    def __init__(self, target, address=("127.0.0.1", 0)):
        self.target = target
        self.plan_for = lambda number: Plan()
        self.connections = []
        self._holding = False
        self._listener = socket.create_server(address, backlog=256)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)  # connections inherit it
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def open_connections(self):
        return [connection for connection in self.connections if not connection.closed]

    def heal(self):
        """Nothing more is going to happen; what is swallowed already stays so."""
        self.plan_for = lambda number: Plan()
        for connection in self.connections:
            connection.plan = Plan()
        self.release()

    def forget_swallowed(self):
        """Resets what was swallowed."""
        for connection in self.open_connections():
            if connection.swallowed:
                connection.reset()

    def hold_new(self):
        """Connections that are made from now on get nowhere until release()."""
        self._holding = True

    def hold(self, way):
        """The running connections carry nothing in this direction until release()."""
        self.call(lambda: [connection.gates[way].clear() for connection in self.connections])

    def release(self):
        self._holding = False
        self.call(lambda: [connection.open_gates() for connection in self.connections])

    def close(self):
        self.call(lambda: [task.cancel() for task in asyncio.all_tasks()])
        self._thread.join()

    def call(self, function):
        """Runs it in the thread of the network, so that it happens between two steps of the relay."""
        done = threading.Event()

        def run():
            function()
            done.set()
        self._loop.call_soon_threadsafe(run)
        assert done.wait(30), "the network's thread hangs"

    async def connect(self):
        far = socket.socket()
        far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        far.setblocking(False)
        try:
            await self._loop.sock_connect(far, self.target)
        except BaseException:
            far.close()
            raise
        return far

    def _run(self):
        try:
            self._loop.run_until_complete(self._accept_all())
        except asyncio.CancelledError:
            pass
        finally:
            self._loop.run_until_complete(_stop(asyncio.all_tasks(self._loop)))
            self._listener.close()
            self._loop.close()

    async def _accept_all(self):
        while True:
            near, _ = await self._loop.sock_accept(self._listener)
            try:
                connection = Connection(self, near, self.plan_for(len(self.connections)))
            except OSError:  # gone already
                near.close()
                continue
            if not self._holding:
                connection.open_gates()
            connection._task = asyncio.ensure_future(connection.run())
            self.connections.append(connection)
