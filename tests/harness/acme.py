"""A certificate authority that speaks ACME as Let's Encrypt does: Debian's pebble. Every name is this machine to it."""
import json
import ssl
import urllib.request

from .programs import BIN, Program, find_tool, free_port, is_listening, run, wait_until


class AcmeServer:
    """`root()` is the CA that its certificates lead to. It asks for names by HTTP at `http_port`."""

    def __init__(self, directory):
        self.port, self.http_port = free_port(), free_port()
        self._roots_port, self._dns_port = free_port(), free_port()
        made = directory / "acme"
        run([BIN / "stream-hub", "init", made, "--name", "acme", "--host", "localhost"])
        self.ca_file = made / "hub-ca.pem"  # of its own port, which is another matter than what it signs
        config = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self._roots_port}",
            "certificate": str(made / "hub.pem"),
            "privateKey": str(made / "hub.key"),
            "httpPort": self.http_port,
            "tlsPort": free_port(),
        }
        (directory / "pebble.json").write_text(json.dumps({"pebble": config}))
        names = [find_tool("pebble-challtestsrv"), "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""]
        unused = [word for service in ("http01", "https01", "tlsalpn01") for word in (f"-{service}", "")]
        ports = ["-dns01", f"127.0.0.1:{self._dns_port}", "-management", f"127.0.0.1:{free_port()}"]
        self.programs = [
            Program("names", [*names, *unused, *ports], directory),
            Program(
                "pebble",
                [
                    find_tool("pebble"),
                    "-config",
                    directory / "pebble.json",
                    "-dnsserver",
                    f"127.0.0.1:{self._dns_port}",
                ],
                directory,
                {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"},
            ),
        ]

    @property
    def url(self):
        return f"https://localhost:{self.port}/dir"

    def start(self):
        for program, port in zip(self.programs, (self._dns_port, self.port)):
            program.start()
            wait_until(lambda: is_listening(port) or not program.is_alive(), f"{program.name} to listen")
            assert program.is_alive(), program.output()[-3000:]
        return self

    def root(self):
        context = ssl.create_default_context(cafile=str(self.ca_file))
        with urllib.request.urlopen(f"https://localhost:{self._roots_port}/roots/0", context=context) as answer:
            return answer.read().decode()

    def stop(self):
        for program in self.programs:
            program.stop()
