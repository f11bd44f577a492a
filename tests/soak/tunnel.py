"""The three programs, with the faulty network between all of them, and what they use."""
import collections
import dataclasses
import pathlib
import re
import textwrap

from tests.harness.programs import (
    BIN,
    SANITIZER_REPORT,
    Program,
    descriptor_count,
    free_port,
    is_listening,
    run,
    status_bytes,
    wait_until,
)
from tests.harness.secrets import credentials_in, find_leaks

from .network import Leg

HUB, DEVICE_SIDE, SERVICE_SIDE = "127.0.0.1", "127.0.0.2", "127.0.0.3"  # all addresses of this machine
DEVICE = "soak-device"
HANDSHAKE = 20  # seconds: so long a leg waits in the hub when its stream's other leg never comes
PROGRAMS = ("stream-hub", "device-proxy", "service-proxy")


def is_sanitized():
    return b"__asan_init" in (BIN / "stream-hub").read_bytes()


@dataclasses.dataclass
class Usage:
    descriptors: int
    memory: int  # bytes, anonymous: without the program's file


def usage_of(pid):
    return Usage(descriptor_count(pid), status_bytes(pid, "RssAnon"))


@dataclasses.dataclass
class Route:
    """A way through the tunnel: one forward, one service."""

    service: str
    server_port: int  # where the soak listens
    forward_port: int = 0
    relayed_forward_port: int = 0
    relayed_server_port: int = 0  # 0: device-proxy connects without the faulty network


class Tunnel:
    """`routes` have names and server ports; start() fills in the rest."""

    def __init__(self, directory, routes, threads):
        self.directory = pathlib.Path(directory)
        self.routes, self.threads = routes, threads
        self.hub_directory = self.directory / "hub"
        self.hub_port, self.mqtt_port = free_port(), free_port()
        self._choose_forward_ports()
        self.programs = [
            Program(name, [BIN / name, "--config", self._config(name)], self.directory) for name in PROGRAMS
        ]
        self.hub, self.device, self.service = self.programs
        self.secrets = set()
        self.died = set()

    def _config(self, name):
        return (self.hub_directory if name == "stream-hub" else self.directory) / f"{name}.yaml"

    def _choose_forward_ports(self):
        taken = {self.hub_port, self.mqtt_port}
        for route in self.routes:
            while not route.forward_port or route.forward_port in taken:
                route.forward_port = free_port()
            taken.add(route.forward_port)

    # --- the network

    def legs(self, relayed_servers):
        """What the faulty network has to listen on; its ports go to use_ports() in the same order."""
        hub = (HUB, self.hub_port)
        legs = [
            Leg("service", (SERVICE_SIDE, self.hub_port), hub),
            Leg("device", (DEVICE_SIDE, self.hub_port), hub, upwards=False),
            Leg("link", (DEVICE_SIDE, self.mqtt_port), (HUB, self.mqtt_port)),
        ]
        self._relayed_servers = relayed_servers
        legs += [Leg("client", (HUB, 0), (HUB, route.forward_port)) for route in self.routes]
        legs += [Leg("server", (HUB, 0), (HUB, route.server_port)) for route in relayed_servers]
        return legs

    def use_ports(self, ports):
        ports = iter(ports[3:])
        for route in self.routes:
            route.relayed_forward_port = next(ports)
        for route in self._relayed_servers:
            route.relayed_server_port = next(ports)

    # --- bringing it up

    def start(self):
        self._make_hub()
        self.hub.start()
        wait_until(lambda: is_listening(self.hub_port) or not self.hub.is_alive(), "the hub to listen")
        device_credential = self._admin("device", "add", DEVICE).strip().splitlines()[-1]
        self.secrets |= credentials_in(device_credential)
        (self.directory / "device.cs").write_text(device_credential + "\n")
        self._write_proxy_configs()
        self.device.start()
        self.service.start()
        self.device.wait_for("linked")
        last = self.routes[-1].forward_port
        wait_until(lambda: is_listening(last) or not self.service.is_alive(), "service-proxy to listen")
        assert all(program.is_alive() for program in self.programs), self.logs()
        return self

    def _make_hub(self):
        run([BIN / "stream-hub", "init", self.hub_directory, "--name", "soak", "--host", HUB, "--port", self.hub_port])
        path = self._config("stream-hub")
        settings = {
            "listen": f"{HUB}:{self.hub_port}",
            "mqtt_listen": f"{HUB}:{self.mqtt_port}",
            "handshake_timeout": f"{HANDSHAKE}s",
        }
        kept = [line for line in path.read_text().splitlines() if line.split(":")[0] not in settings]
        path.write_text("\n".join(kept + [f"{key}: {value}" for key, value in settings.items()]) + "\n")
        self.secrets |= credentials_in((self.hub_directory / "service.cs").read_text())

    def _write_proxy_configs(self):
        services = "".join(
            f"  {route.service}: {HUB}:{route.relayed_server_port or route.server_port}\n" for route in self.routes
        )
        self._config("device-proxy").write_text(
            self._hub_section("device.cs", DEVICE_SIDE) + f"  transport: mqtt\n  mqtt_port: {self.mqtt_port}\n"
            "reconnect:\n  first: 100ms\n  longest: 1s\n"
            f"threads: {self.threads}\nservices:\n" + services
        )
        forwards = "".join(
            f"  - listen: {HUB}:{route.forward_port}\n    device: {DEVICE}\n    service: {route.service}\n"
            for route in self.routes
        )
        self._config("service-proxy").write_text(
            self._hub_section("hub/service.cs", SERVICE_SIDE) + f"threads: {self.threads}\nforwards:\n" + forwards
        )

    def _hub_section(self, credential, address):
        return textwrap.dedent(
            f"""\
            hub:
              connection_string_file: {self.directory / credential}
              ca_file: {self.hub_directory}/hub-ca.pem
              address: {address}
              port: {self.hub_port}
            """
        )

    def _admin(self, *words):
        return run([BIN / "stream-hub", *words, "--config", self._config("stream-hub")]).stdout

    # --- watching it

    def usage(self):
        """By program; those that died are missing, and remembered."""
        found = {}
        for program in self.programs:
            try:
                found[program.name] = usage_of(program.pid)
            except (OSError, AttributeError, TypeError):  # gone, or its memory is
                self.died.add(program.name)
            if not program.is_alive():
                self.died.add(program.name)
        return found

    def logs(self):
        return "\n".join(f"{program.name}:\n{program.output()[-1500:]}" for program in self.programs)

    def stop(self):
        """Returns what is wrong with how the programs ended, or with what they have printed."""
        for program in reversed(self.programs):
            program.stop()
        failures = [f"{name} ended by itself" for name in sorted(self.died)]
        for program in self.programs:
            failures += [f"{program.name} ended with {code}" for code in program.exits if code != 0]
            text = program.output()
            failures += [
                f"{program.name} printed: {line[:400]}"
                for line in text.splitlines()
                if "DS-901" in line or SANITIZER_REPORT.search(line)
            ]
            failures += [f"{program.name} printed {leak}" for leak in find_leaks(text, self.secrets)]
        return failures

    def codes(self):
        """How often each error code was logged, by program."""
        return {
            program.name: dict(sorted(collections.Counter(re.findall(r"DS-\d{3}", program.output())).items()))
            for program in self.programs
        }
