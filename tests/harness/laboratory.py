"""An installation with a FaultyNetwork on every leg, and streams of which the test holds both ends."""
import contextlib
import itertools
import os
import pathlib
import random
import re
import socket
import struct
import threading

from .ends import CLEAN, Stream
from .faulty_network import FaultyNetwork
from .programs import SANITIZED, is_listening, wait_until
from .rig import Rig, SERVICES

# Streams go to the port in the hub's URL, so each proxy must find its network there: at an address of its own.
HUB_ADDRESSES = {"service.cs": "127.0.0.2", "device.cs": "127.0.0.3"}
# A quick laboratory notices silence within seconds, in every phase of a stream.
DEAD_AFTER = 6 if SANITIZED else 2
QUICK = {"liveness": f"{{ping_every: 400ms, dead_after: {DEAD_AFTER}s}}"}
QUICK_HUB = {**QUICK, "handshake_timeout": "5s", "limits": "{tls_timeout: 3s, head_timeout: 3s, idle_timeout: 5s}"}
QUICK_TIMEOUTS = {"device.cs": "{hub: 3s, local: 2s}", "service.cs": "{hub: 3s, connect: 3s, response: 3s}"}
SEED = os.environ.get("DS_SEED") or str(random.SystemRandom().randrange(1 << 32))


def rng_for(name):
    """Random choices that DS_SEED brings back, whichever tests run; pytest shows the seed with a failure."""
    print(f"random choices for {name}: repeat them with DS_SEED={SEED}")
    return random.Random(f"{SEED} {name}")


def top_level(settings):
    return "".join(f"{key}: {value}\n" for key, value in settings.items())


class Laboratory(Rig):
    """`networks` has one for each leg: client, service, device, local. Streams to `direct` meet those to the hub only,
    streams to `relayed` all four."""

    services = (*SERVICES, "direct", "relayed")

    hub_addresses = HUB_ADDRESSES
    half_close = True  # in its streams one direction can end alone

    def __init__(self, directory, quick=False, host="127.0.0.1"):
        super().__init__(directory, host)
        self.quick = quick
        self.listener = self.make_listener()
        hub = (host, self.hub_port)
        self.networks = {
            "client": FaultyNetwork(("127.0.0.1", self.forward_ports["relayed"])),
            "service": FaultyNetwork(hub, (HUB_ADDRESSES["service.cs"], self.hub_port)),
            "device": FaultyNetwork(hub, (HUB_ADDRESSES["device.cs"], self.hub_port)),
            "local": FaultyNetwork(self.listener.getsockname()),
        }
        self.streams = {}
        self._numbers = itertools.count(1)
        threading.Thread(target=self._accept_servers, daemon=True).start()

    # --- where it differs from other installations

    def make_listener(self):
        return socket.create_server(("127.0.0.1", 0), backlog=256)

    def local_port(self, service):
        own = {"direct": self.listener.getsockname()[1], "relayed": self.networks["local"].port}
        return own.get(service) or super().local_port(service)

    def hub_section(self, credential):
        text = super().hub_section(credential)
        if credential in self.hub_addresses:
            text += f"  address: {self.hub_addresses[credential]}\n"
        if self.quick and credential == "device.cs":
            text += "  keep_alive: 5s\n"
        return text + (top_level(QUICK) if self.quick else "")

    def write_proxy_configs(self):
        super().write_proxy_configs()
        for credential, timeouts in QUICK_TIMEOUTS.items() if self.quick else ():
            path = self.directory / f"{pathlib.Path(credential).stem}-proxy.yaml"
            other = top_level({"timeouts": timeouts})
            path.write_text(re.sub(r"^timeouts:\n(  .*\n)+", other, path.read_text(), flags=re.MULTILINE))

    def set_hub_yaml(self, **changes):
        super().set_hub_yaml(**{**(QUICK_HUB if self.quick else {}), **changes})

    def start_hub(self):
        self.hub.start()
        wait_until(self._hub_answers, "the hub to listen")
        assert self.hub.is_alive(), self.hub.output()[-3000:]

    def _hub_answers(self):
        """The kernel's table of listening ports would not do: the networks are on the same port."""
        with contextlib.suppress(OSError):
            socket.create_connection((self.host, self.hub_port), 10).close()
            return True
        return not self.hub.is_alive()

    def wait_ready(self):
        super().wait_ready()
        wait_until(lambda: is_listening(self.forward_ports["relayed"]), "service-proxy to listen on the last forward")

    def begin(self):
        """For the start of a test: nothing is left of what the last one did."""
        self.close_streams()
        for network in self.networks.values():
            network.forget_swallowed()
        self.restore()
        wait_until(self.works, "new streams to work")

    def restore(self):
        """Starts what was killed and heals the networks."""
        for network in self.networks.values():
            network.heal()
        if self.hub.process is None:
            self.start_hub()
        for program in (self.device, self.service):
            if program.process is None:
                program.start()
            assert program.is_alive(), f"{program.name} ended by itself:\n{program.output()[-3000:]}"
        self.wait_ready()

    def finish(self):
        self.close_streams()
        self.listener.close()
        try:
            super().finish()
        finally:
            for network in self.networks.values():
                network.close()

    # --- streams

    def legs(self, leg):
        """What may carry streams: a device's oldest connection is its link; any other may be kept for a leg."""
        connections = self.networks[leg].open_connections()
        return connections[1:] if leg == "device" else connections

    def open(self, service="direct"):
        """A stream whose server is there already."""
        stream = self.dial(service)
        wait_until(lambda: stream.server or stream.client.endings, lambda: f"the server of {stream.describe()}")
        assert stream.server, f"{stream.describe()}; service-proxy printed:\n{self.service.output()[-2000:]}"
        return stream

    def dial(self, service="direct"):
        """A stream whose server comes when it comes."""
        port = self.networks["client"].port if service == "relayed" else self.forward_ports[service]
        stream = Stream(next(self._numbers))
        self.streams[stream.number] = stream  # before its server may come
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", port))  # a stream that is refused at once may be reset before this returns
        stream.take_client(client)
        return stream

    def _accept_servers(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._meet, args=(connection,), daemon=True).start()

    def _meet(self, connection):
        try:
            greeting = connection.recv(Stream.greeting.size, socket.MSG_WAITALL)
            stream = self.streams[Stream.greeting.unpack(greeting)[0]]
        except (OSError, struct.error, KeyError):  # its stream broke before it was up
            connection.close()
        else:
            stream.take_server(connection)

    def works(self):
        """One short stream from end to end; False when it broke."""
        stream = self.dial()
        stream.client.send(100)
        stream.client.fin()
        wait_until(lambda: stream.server or stream.client.endings, lambda: f"a short stream: {stream.describe()}")
        if stream.server:
            stream.server.send(100)
            stream.server.fin()
            stream.server.wait_over()
        stream.client.wait_over()
        return all(end.saw() == CLEAN and end.received == 100 for end in stream.ends())

    def close_streams(self):
        for stream in self.streams.values():
            stream.close()
        self.streams.clear()
