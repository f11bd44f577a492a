"""HTTP proxies from Debian, as companies run them: tinyproxy, and squid for TLS with the proxy itself."""
import pathlib
import re
import shutil
import socket
import tempfile
import threading

from .programs import Program, find_tool, free_port, is_listening, run, wait_until

USER, PASSWORD = "anna", "open-sesame-42"


class ProxyServer:
    """`requests()`: what it was asked for so far, as host:port."""

    scheme = "http"
    wants_password = True

    def __init__(self, directory):
        self.directory = directory
        self.port = free_port()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def url_with_credentials(self):
        return f"{self.scheme}://{USER}:{PASSWORD}@127.0.0.1:{self.port}"

    def start(self):
        self.program.start()
        wait_until(lambda: is_listening(self.port) or not self.program.is_alive(), f"{self.program.name} to listen")
        assert self.program.is_alive(), self.program.output()
        return self

    def stop(self):
        self.program.stop()


class Tinyproxy(ProxyServer):
    """Wants Basic authentication, and lets through to `allowed` ports only."""

    def __init__(self, directory, allowed, name="tinyproxy", address="127.0.0.1"):
        super().__init__(directory)
        config = directory / f"{name}.conf"
        config.write_text(
            f"Port {self.port}\nListen {address}\nTimeout 600\nLogLevel Connect\nMaxClients 200\n"
            f"BasicAuth {USER} {PASSWORD}\n" + "".join(f"ConnectPort {port}\n" for port in allowed)
        )
        self.program = Program(name, [find_tool("tinyproxy"), "-d", "-c", config], directory)

    def requests(self):
        return re.findall(r"CONNECT (\S+:\d+) HTTP", self.program.output())


class Squid(ProxyServer):
    """Speaks TLS, with a certificate of its own CA, and wants Basic authentication."""

    scheme = "https"

    def __init__(self, directory):
        # As root it becomes another user, who could not pass through the directories of the tests.
        super().__init__(pathlib.Path(tempfile.mkdtemp(prefix="squid-")))
        self.directory.chmod(0o755)
        (self.directory / "access.log").touch(0o666)
        (self.directory / "access.log").chmod(0o666)
        self.ca_file = self.directory / "proxy-ca.pem"
        self._make_certificate()
        passwords = self.directory / "passwords"
        digest = run(["openssl", "passwd", "-apr1", "-stdin"], input=PASSWORD).stdout
        passwords.write_text(f"{USER}:{digest}")
        config = self.directory / "squid.conf"
        config.write_text(
            f"""\
https_port 127.0.0.1:{self.port} tls-cert={self.directory}/proxy.pem tls-key={self.directory}/proxy.key
auth_param basic program /usr/lib/squid/basic_ncsa_auth {passwords}
acl known proxy_auth REQUIRED
http_access allow CONNECT known
http_access deny all
access_log stdio:{self.directory}/access.log
cache_log /dev/null
pid_filename none
cache deny all
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname proxy
coredump_dir none
"""
        )
        self.program = Program("squid", [find_tool("squid"), "-N", "-f", config], directory)
        self.program.expected_exit = {0, 1}

    def _make_certificate(self):
        names = self.directory / "names"
        names.write_text("subjectAltName=IP:127.0.0.1\n")
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        run(
            [
                "openssl",
                "req",
                "-x509",
                *key,
                "-keyout",
                self.directory / "proxy-ca.key",
                "-subj",
                "/CN=proxy CA",
                "-days",
                "2",
                "-out",
                self.ca_file,
            ]
        )
        run(
            [
                "openssl",
                "req",
                *key,
                "-keyout",
                self.directory / "proxy.key",
                "-subj",
                "/CN=proxy",
                "-out",
                self.directory / "proxy.csr",
            ]
        )
        run(
            [
                "openssl",
                "x509",
                "-req",
                "-in",
                self.directory / "proxy.csr",
                "-CA",
                self.ca_file,
                "-CAkey",
                self.directory / "proxy-ca.key",
                "-CAcreateserial",
                "-days",
                "2",
                "-extfile",
                names,
                "-out",
                self.directory / "proxy.pem",
            ]
        )
        (self.directory / "proxy.key").chmod(0o644)

    def requests(self):
        """Of connections that are over."""
        return re.findall(r" CONNECT (\S+:\d+) ", (self.directory / "access.log").read_text())

    def stop(self):
        super().stop()
        shutil.rmtree(self.directory)


class SilentProxy:
    """Accepts and says nothing."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._held = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                self._held.append(self._listener.accept()[0])
        except OSError:
            pass

    def close(self):
        for held in [self._listener, *self._held]:
            held.close()
