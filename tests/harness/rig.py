"""A whole installation in one directory: hub, one device, one service side, a private sshd and local services."""
import contextlib
import json
import pathlib
import socket
import textwrap

from .local import LocalServices
from .programs import BIN, SANITIZER_REPORT, Program, descriptor_count, free_port, is_listening, run, wait_until
from .secrets import credentials_in, find_leaks
from .sshd import PrivateSshd

DEVICE = "pump-17"
SERVICES = ("ssh", "web", "echo", "after_end", "resetter", "refused", "black_hole", "missing")


class Rig:
    """start() brings everything up; finish() stops it and checks what it left: exit codes, reports, leaked secrets."""

    services = SERVICES

    def __init__(self, directory, host="127.0.0.1", mqtt_transport=False):
        self.directory = pathlib.Path(directory)
        self.host = host
        self.mqtt_transport = mqtt_transport
        self.hub_port, self.mqtt_port = free_port(), free_port()
        self.forward_ports = {name: free_port() for name in self.services}
        self.secrets = set()
        self.web_root = self.directory / "web"
        self.web_root.mkdir(parents=True)
        self.local = LocalServices(self.web_root)
        self.sshd = PrivateSshd(self.directory / "sshd")
        self.hub_directory = self.directory / "hub"
        self.ca_file = self.hub_directory / "hub-ca.pem"
        self.extra_programs = []
        self._checked = {}

        self.hub = Program(
            "stream-hub", [BIN / "stream-hub", "--config", self.hub_directory / "stream-hub.yaml"], self.directory
        )
        self.device = Program(
            "device-proxy", [BIN / "device-proxy", "--config", self.directory / "device-proxy.yaml"], self.directory
        )
        self.service = Program(
            "service-proxy", [BIN / "service-proxy", "--config", self.directory / "service-proxy.yaml"], self.directory
        )

    # --- bringing it up

    def init(self):
        run(
            [
                BIN / "stream-hub",
                "init",
                self.hub_directory,
                "--name",
                "hub1",
                "--host",
                self.host,
                "--port",
                self.hub_port,
            ]
        )
        self.set_hub_yaml()
        self.service_cs = self.remember(self.service_credential().read_text())
        return self

    def service_credential(self):
        return self.hub_directory / "service.cs"

    def set_hub_yaml(self, **changes):
        """Changes top-level keys of the hub's configuration, as an administrator with an editor would. By default it
        listens on loopback only, with the second port for MQTT."""
        path = self.hub_directory / "stream-hub.yaml"
        settings = {
            "listen": f"{self.host}:{self.hub_port}",
            "mqtt_listen": f"{self.host}:{self.mqtt_port}",
            "drain": "20s",
            **changes,
        }
        kept = [line for line in path.read_text().splitlines() if line.split(":")[0] not in settings]
        path.write_text("\n".join(kept + [f"{key}: {value}" for key, value in settings.items()]) + "\n")

    def hub_listens(self):
        return is_listening(self.hub_port)

    def start_hub(self):
        self.hub.start()
        wait_until(lambda: self.hub_listens() or not self.hub.is_alive(), "the hub to listen")
        assert self.hub.is_alive(), self.hub.output()[-3000:]

    def add_device(self, name):
        """Returns the connection string."""
        return self.remember(self.admin("device", "add", name).strip().splitlines()[-1])

    def write_proxy_configs(self):
        (self.directory / "device.cs").write_text(self.device_cs + "\n")
        services = "".join(
            f"  {name}: 127.0.0.1:{self.local_port(name)}\n" for name in self.services if name != "missing"
        )
        (self.directory / "device-proxy.yaml").write_text(
            self.hub_section("device.cs")
            + (f"  transport: mqtt\n  mqtt_port: {self.mqtt_port}\n" if self.mqtt_transport else "")
            + "reconnect:\n  first: 100ms\n  longest: 1s\ntimeouts:\n  local: 2s\ndrain: 20s\nservices:\n"
            + services
        )
        forwards = "".join(
            f"  - listen: 127.0.0.1:{port}\n    device: {DEVICE}\n    service: {name}\n"
            for name, port in self.forward_ports.items()
        )
        (self.directory / "service.cs").write_text(self.service_cs + "\n")
        (self.directory / "service-proxy.yaml").write_text(
            self.hub_section("service.cs") + "timeouts:\n  connect: 8s\ndrain: 20s\nforwards:\n" + forwards
        )

    def hub_section(self, credential):
        return textwrap.dedent(
            f"""\
            hub:
              connection_string_file: {self.directory / credential}
              ca_file: {self.ca_file}
              port: {self.hub_port}
            """
        )

    def start(self):
        self.init()
        self.sshd.start()
        return self.bring_up()

    def bring_up(self, **hub_settings):
        """Starts the three programs after init(), the hub with these changes of its configuration."""
        if hub_settings:
            self.set_hub_yaml(**hub_settings)
        self.start_hub()
        self.device_cs = self.add_device(DEVICE)
        self.write_proxy_configs()
        self.device.start()
        self.service.start()
        self.wait_ready()
        return self

    def wait_ready(self):
        self.wait_online()
        wait_until(
            lambda: is_listening(self.forward_ports["missing"]) or not self.service.is_alive(),
            "service-proxy to listen",
        )
        assert self.service.is_alive(), self.service.output()[-3000:]

    def wait_online(self, device=DEVICE):
        wait_until(
            lambda: self.is_online(device),
            f"{device} to be online; device-proxy printed:\n" + self.device.output()[-2000:],
        )

    # --- using it

    def remember(self, text):
        """Notes the secrets in a text that a program may never print; returns the text."""
        self.secrets |= credentials_in(text)
        return text.strip()

    def local_port(self, service):
        return self.sshd.port if service == "ssh" else self.local.port(service)

    def admin(self, *words, check=True):
        """Runs the hub's command line; its standard output, or the CompletedProcess with check=False."""
        done = run([BIN / "stream-hub", *words, "--config", self.hub_directory / "stream-hub.yaml"], check=check)
        self.secrets |= credentials_in(done.stdout)
        assert not find_leaks(done.stderr, self.secrets), "the command line leaks on standard error"
        return done.stdout if check else done

    def is_online(self, device=DEVICE):
        done = self.admin("device", "show", device, check=False)
        return done.returncode == 0 and json.loads(done.stdout).get("connected") is True

    def connect(self, service, timeout=None):
        """A local client's connection to a forward."""
        return socket.create_connection(("127.0.0.1", self.forward_ports[service]), timeout or 60)

    def echo(self, payload=b"hello through the tunnel"):
        """One short stream from end to end; True when the bytes came back."""
        with self.connect("echo") as client:
            client.sendall(payload)
            try:
                client.shutdown(socket.SHUT_WR)
            except OSError as error:  # ENOTCONN: who was reset by then is no ConnectionError to Python
                raise ConnectionResetError(f"reset before the end could be sent: {error}") from error
            received = b""
            while data := client.recv(65536):
                received += data
            return received == payload

    @contextlib.contextmanager
    def running_stream(self):
        """The client of a stream to `echo` that has carried a byte there and back."""
        with self.connect("echo") as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            yield client

    def works(self):
        return self.echo()

    def ssh(self, *command):
        return self.sshd.ssh(self.forward_ports["ssh"], *command)

    # --- what must hold when all is over

    def descriptors(self):
        return {program.name: descriptor_count(program.pid) for program in self.programs() if program.process}

    def settled_descriptors(self):
        """How many each program has while nothing goes on."""
        assert self.works()
        seen = []

        def is_settled():
            seen.append(self.descriptors())
            return len(seen) > 20 and all(counts == seen[-1] for counts in seen[-20:])

        wait_until(is_settled, "the number of descriptors to settle")
        return seen[-1]

    def wait_no_more_descriptors(self, before):
        try:
            wait_until(lambda: all(count <= before[name] for name, count in self.descriptors().items()), "descriptors")
        except AssertionError:
            raise AssertionError(f"descriptors leaked: {before} before, {self.descriptors()} after") from None

    def wait_no_streams(self):
        wait_until(lambda: not json.loads(self.admin("streams", "list", "--json")), "the hub to have no streams")

    # --- ending it

    def programs(self):
        return [self.service, self.device, self.hub, *self.extra_programs]

    def check_output(self):
        """What must hold for all that was printed, at any time."""
        for program in self.programs():
            text = program.output()
            new = text[self._checked.get(program.name, 0) :]
            report = SANITIZER_REPORT.search(new)
            assert not report, f"{program.name}:\n{new[max(0, report.start() - 500):report.start() + 6000]}"
            leaks = find_leaks(new, self.secrets)
            assert not leaks, f"{program.name} printed {leaks}"
            self._checked[program.name] = len(text)
            for line in [*program.cmdlines, " ".join(program.argv)]:
                assert not find_leaks(line, self.secrets), f"{program.name} has a secret in its arguments"

    def finish(self):
        for program in self.programs():
            program.stop()
        self.sshd.program.expected_exit = {0, 255}
        self.sshd.program.stop()
        self.local.close()
        self.check_output()
        for program in self.programs():
            unexpected = [code for code in program.exits if code not in program.expected_exit]
            assert not unexpected, f"{program.name} ended with {unexpected}:\n{program.output()[-5000:]}"
