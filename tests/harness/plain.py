"""A laboratory whose streams are plain: neither the proxies nor the hub know that the other one could do more."""
import asyncio
import concurrent.futures
import contextlib
import ssl
import threading

from .laboratory import HUB_ADDRESSES, Laboratory
from .programs import PATIENCE, SANITIZED, free_port, wait_until

LINGER = 6 if SANITIZED else 2  # seconds; only what a test sends without a pause must come within
WORD, UNKNOWN = b"features", b"unknowns"  # of one length, as MQTT says first how long everything is


class Veil:
    """Stands before a port of the hub and passes everything on, but for the announcement of features, which becomes
    words that nobody knows: both sides then meet a peer that is not ours. For control connections; legs go past it."""

    def __init__(self, target, address, hub_directory):
        self.target = target
        self.hidden = 0  # announcements
        self.answered = False  # the hub spoke of features all the same
        self._as_hub = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._as_hub.load_cert_chain(hub_directory / "hub.pem", hub_directory / "hub.key")
        self._to_hub = ssl.create_default_context(cafile=hub_directory / "hub-ca.pem")
        self._closed = asyncio.Event()
        started = concurrent.futures.Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(address, started)), daemon=True)
        self._thread.start()
        self._loop = started.result(PATIENCE)

    def close(self):
        self._loop.call_soon_threadsafe(self._closed.set)
        self._thread.join()

    async def _serve(self, address, started):
        server = await asyncio.start_server(self._carry, *address, ssl=self._as_hub)
        started.set_result(asyncio.get_running_loop())
        await self._closed.wait()
        server.close()

    async def _carry(self, reader, writer):
        with contextlib.suppress(OSError), contextlib.closing(writer):
            hub_reader, hub_writer = await asyncio.open_connection(*self.target, ssl=self._to_hub)
            with contextlib.closing(hub_writer):
                ways = [self._pump(reader, hub_writer, self._hide), self._pump(hub_reader, writer, self._note)]
                await asyncio.wait(map(asyncio.ensure_future, ways), return_when=asyncio.FIRST_COMPLETED)

    async def _pump(self, reader, writer, look):
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(look(data))
                await writer.drain()

    def _hide(self, data):
        self.hidden += data.count(WORD)
        return data.replace(WORD, UNKNOWN)

    def _note(self, data):
        self.answered = self.answered or WORD in data
        return data


class PlainLaboratory(Laboratory):
    half_close = False

    def __init__(self, directory):
        super().__init__(directory)
        self.mqtt_transport = True  # the announcement can be found there: WebSocket would mask it
        self.rest_port = free_port()

    def init(self):
        super().init()
        at_service, at_device = (HUB_ADDRESSES[credential] for credential in ("service.cs", "device.cs"))
        self.veils = [
            Veil((self.host, self.hub_port), (at_service, self.rest_port), self.hub_directory),
            Veil((self.host, self.mqtt_port), (at_device, self.mqtt_port), self.hub_directory),
        ]
        return self

    def hub_section(self, credential):
        text = super().hub_section(credential)
        return text.replace(f"port: {self.hub_port}", f"port: {self.rest_port}") if credential == "service.cs" else text

    def write_proxy_configs(self):
        super().write_proxy_configs()
        for name in ("service-proxy.yaml", "device-proxy.yaml"):
            with open(self.directory / name, "a", encoding="utf-8") as config:
                config.write(f"linger: {LINGER}s\n")

    def legs(self, leg):
        return self.networks[leg].open_connections()  # its control connections are elsewhere

    def works(self):
        """One short stream, ended by a reset: a clean end would take as long as its linger."""
        stream = self.dial()
        stream.client.send(100)
        wait_until(lambda: stream.server or stream.client.endings, lambda: f"a short stream: {stream.describe()}")
        if stream.server:
            stream.server.send(100)
        wait_until(lambda: all(end.received == 100 or end.is_over() for end in stream.ends()), stream.describe)
        worked = all(end.received == 100 for end in (stream.client, stream.server) if end)
        stream.client.reset()
        return worked

    def finish(self):
        super().finish()
        for veil in self.veils:
            veil.close()
            assert veil.hidden and not veil.answered, "the streams of this laboratory were not plain"
