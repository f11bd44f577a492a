"""A hub of ours: its files, its command line, its registry."""
import json
import socket

from tests.harness.programs import free_port, run

from .record_planes import AUTO


class Hub:
    def __init__(self, bench, folder):
        self.folder, self._address = folder, bench.places.address("hub")
        self.port, self.mqtt_port = free_port(), free_port()
        self.config = folder / "stream-hub.yaml"
        self.ca = folder / "hub-ca.pem"
        self._program = bench.bin / "stream-hub"
        run([self._program, "init", folder, "--name", "bench", "--host", bench.host, "--port", self.port])

    def start(self, processes, threads, plane=AUTO):
        kept = [line for line in self.config.read_text().splitlines() if not line.startswith("listen:")]
        self.config.write_text(
            "\n".join(
                [
                    *kept,
                    f"listen: {self._address}:{self.port}",
                    f"mqtt_listen: 127.0.0.1:{self.mqtt_port}",
                    f"threads: {threads}",
                    plane.settings,
                ]
            )
        )
        processes.start_listening("hub", self.port, self._program, "--config", self.config, env=plane.env)

    def admin(self, *words):
        return run([self._program, *words, "--config", self.config]).stdout

    def add_devices(self, names):
        """Through the admin socket: a process for each would take longer than everything else."""
        for name in names:
            with socket.socket(socket.AF_UNIX) as admin:
                admin.connect(str(self.folder / "state" / "admin.sock"))
                admin.sendall(json.dumps({"command": "device add", "device": name}).encode() + b"\n")
                admin.makefile().readline()
