"""A thousand streams to one device at the same time, while some of them stand still."""
import asyncio
import resource
import socket
import struct

import pytest
from tests.harness.ends import GIGABYTE, pattern
from tests.harness.programs import PATIENCE, SANITIZED
from tests.harness.rig import SERVICES, Rig

STREAMS = 200 if SANITIZED else 1000
BLOCKED = 20
AT_ONCE = 250  # are being opened; a hub admits 1,000 connections of one address that have not logged in yet
SHARE = 4096  # bytes of a request or a response
GREETING = struct.Struct(">Q")


class Crowd(Rig):
    """The test itself is its device's service `crowd`."""

    services = ("crowd", *SERVICES)

    def __init__(self, directory):
        super().__init__(directory)
        self.listener = socket.create_server(("127.0.0.1", 0))

    def local_port(self, service):
        return self.listener.getsockname()[1] if service == "crowd" else super().local_port(service)

    def finish(self):
        self.listener.close()
        super().finish()


@pytest.fixture
def crowd(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert limits[1] > 3 * STREAMS, "the limit of descriptors is too low: see ulimit -Hn"
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    crowd = Crowd(tmp_path / "rig")
    try:
        yield crowd.start()
    finally:
        crowd.finish()
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


class End:
    """One end of a stream. Every byte says whose it is and where it belongs."""

    def __init__(self, connection, sends, expects):
        self.reader, self.writer = connection
        self.sends, self.expects = sends, expects
        self.sent = self.received = 0

    async def send(self, count):
        self.writer.write(pattern(self.sends, self.sent, count))
        self.sent += count
        await self.writer.drain()

    async def receive(self, count):
        self.check(await self.reader.readexactly(count))

    async def receive_rest(self):
        while data := await self.reader.read(1 << 18):
            self.check(data)

    def check(self, data):
        assert data == pattern(self.expects, self.received, len(data)), f"wrong bytes behind {self.received}"
        self.received += len(data)


class Stream:
    def __init__(self, number):
        self.number = number
        self.client = self.server = self.ends = None

    async def open(self, port, turn):
        """The client says which stream it is, and its server says the same back."""
        greeting = GREETING.pack(self.number)
        async with turn:
            connection = await asyncio.open_connection("127.0.0.1", port)
            connection[1].write(greeting)
            assert await connection[0].readexactly(GREETING.size) == greeting
        self.client = End(connection, 2 * self.number, 2 * self.number + 1)
        self.ends = self.client, self.server

    def meet(self, connection):
        connection[1].write(GREETING.pack(self.number))
        self.server = End(connection, 2 * self.number + 1, 2 * self.number)

    async def ask(self):
        """Each end asks the other one something and gets its answer."""
        for asker, other in (self.ends, self.ends[::-1]):
            for sender, receiver in ((asker, other), (other, asker)):
                await asyncio.gather(sender.send(SHARE), receiver.receive(SHARE))

    async def flood(self, enough):
        """The server sends until nothing goes any more; nobody reads it."""
        while not enough.is_set() and self.server.sent < GIGABYTE:
            await self.server.send(1 << 16)

    async def ask_server(self):
        await asyncio.gather(self.client.send(SHARE), self.server.receive(SHARE))

    async def end(self):
        for end in self.ends:
            end.writer.write_eof()
        await asyncio.gather(*(end.receive_rest() for end in self.ends))
        assert (self.client.received, self.server.received) == (self.server.sent, self.client.sent)
        for end in self.ends:
            end.writer.close()
            await end.writer.wait_closed()


async def each(what, steps):
    """All at the same time; a limit only so that nothing hangs for ever."""
    try:
        await asyncio.wait_for(asyncio.gather(*steps), 4 * PATIENCE)
    except TimeoutError:
        pytest.fail(f"hangs: {what}")


async def until_still(ends):
    sent = None
    while sent != (sent := [end.sent for end in ends]):
        await asyncio.sleep(0.5)


async def live(crowd):
    streams = [Stream(number) for number in range(STREAMS)]

    async def meet(*connection):
        (number,) = GREETING.unpack(await connection[0].readexactly(GREETING.size))
        streams[number].meet(connection)

    await asyncio.start_server(meet, sock=crowd.listener, backlog=2 * AT_ONCE)
    turn = asyncio.Semaphore(AT_ONCE)
    await each("opening", [stream.open(crowd.forward_ports["crowd"], turn) for stream in streams])
    await each("every stream", [stream.ask() for stream in streams])

    blocked, free = streams[:: STREAMS // BLOCKED], [s for s in streams if s.number % (STREAMS // BLOCKED)]
    enough = asyncio.Event()
    floods = [asyncio.ensure_future(stream.flood(enough)) for stream in blocked]
    await each("filling the blocked streams", [until_still([stream.server for stream in blocked])])
    for _ in range(3):
        await each("streams beside blocked ones", [stream.ask() for stream in free])
    await each("the other direction of blocked streams", [stream.ask_server() for stream in blocked])
    assert not any(flood.done() for flood in floods), "nothing was blocked"

    enough.set()
    await each("the ends", [*floods, *(stream.end() for stream in streams)])


def test_a_thousand_streams_do_not_disturb_each_other(crowd):
    before = crowd.settled_descriptors()
    asyncio.run(live(crowd))
    crowd.wait_no_streams()
    crowd.wait_no_more_descriptors(before)
    assert crowd.works(), "the next stream"
