"""SOCKS 5 proxies, as people have them: ssh -D, and microsocks, which wants a password."""
import contextlib
import re

from .http_proxies import PASSWORD, USER, ProxyServer
from .programs import Program, find_tool
from .sshd import PrivateSshd


class SshDynamicForward(ProxyServer):
    """`ssh -D` to a server of its own. It says yes to every request before it has connected."""

    scheme = "socks5h"
    wants_password = False

    def __init__(self, directory):
        super().__init__(directory)
        self._sshd = PrivateSshd(directory / "bastion")
        ssh = self._sshd.ssh(self._sshd.port)
        forward = ["-N", "-D", f"127.0.0.1:{self.port}", "-o", "ExitOnForwardFailure=yes", "-o", "LogLevel=DEBUG2"]
        self.program = Program("ssh-D", [*ssh[:-1], *forward, ssh[-1]], directory)
        self.program.expected_exit = {0, 255}

    def start(self):
        self._sshd.start()
        return super().start()

    def stop(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self._sshd.program.stop)
            super().stop()

    def requests(self):
        asked = re.findall(r"dynamic request: socks5 host (\S+) port (\d+)", self.program.output())
        return [f"{host}:{port}" for host, port in asked]


class Microsocks(ProxyServer):
    """Wants user and password."""

    scheme = "socks5h"

    def __init__(self, directory):
        super().__init__(directory)
        words = ["-i", "127.0.0.1", "-p", self.port, "-u", USER, "-P", PASSWORD]
        self.program = Program("microsocks", [find_tool("microsocks"), *words], directory)
        self.program.expected_exit = {0, -15}

    def requests(self):
        return re.findall(r"connected to (\S+:\d+)", self.program.output())
