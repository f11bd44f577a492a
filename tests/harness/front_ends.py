"""Reverse proxies from Debian before the hub, with the configurations that docs/reverse-proxies.md shows."""
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import tempfile

from .documents import blocks
from .programs import BIN, Program, find_tool, free_port, is_listening, run, wait_until
from .rig import Rig

HOST = "hub.example.com"
PAGE = "docs/reverse-proxies.md"


shown = set()  # the blocks of the page that were asked for


def of_page():
    return [block for block in blocks() if block.document == PAGE]


def page(language, containing):
    """The page's block of that language with these words in it."""
    found = [block.text for block in of_page() if block.language == language and containing in block.text]
    assert len(found) == 1, f"{len(found)} blocks of {language} with {containing!r} in {PAGE}"
    shown.add(found[0])
    return found[0]


def replaced(text, *pairs):
    """The text with the first of each pair, which is there, replaced by the second."""
    for old, new in pairs:
        assert old in text, f"no {old!r} in:\n{text}"
        text = text.replace(old, new)
    return text


def as_nobody(folder):
    """The begin of a command line; what follows has no rights but in this folder, also when root runs the tests."""
    if os.geteuid() != 0:
        return []
    run(["chown", "-R", "nobody:nogroup", folder])
    return [find_tool("setpriv"), "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


class FrontEnd:
    """A program between the port of all clients and the hub, with a configuration of the page's or one like it."""

    name: str
    ends_tls = True
    key_in_certificate = False

    def __init__(self, text):
        self.text = text
        self.port = free_port()
        self.folder = self.sockets = self.program = None

    def prepare(self, rig):
        """Writes the configuration, with the addresses and paths of this installation in place of the page's."""
        # Not in the folder of the tests, which is closed to nobody.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="front-end-"))
        self.folder.chmod(0o755)
        self.config = self.folder / "configuration"
        self._make_certificate()
        shutil.copy(rig.ca_file, self.folder)
        text = re.sub(r"/etc/(nginx|haproxy|apache2|caddy)/", f"{self.folder}/", self.text)
        text = re.sub(r"127\.0\.0\.1:(8443|8080)", f"127.0.0.1:{rig.hub_port}", text)
        self.sockets = self.folder / "stream-hub"
        self.config.write_text(self.whole(text.replace("/run/stream-hub/", f"{self.sockets}/")))
        self.program = Program(self.name, [*as_nobody(self.folder), *self.command()], self.folder)
        self._make_folder_of_sockets()

    def _make_certificate(self):
        """As if of a public CA; it knows nothing of the hub's own."""
        made = self.folder / "public"
        self.public_ca = made / "hub-ca.pem"
        run([BIN / "stream-hub", "init", made, "--name", "public", "--host", HOST])
        certificate, key = (made / "hub.pem").read_text(), (made / "hub.key").read_text()
        (self.folder / f"{HOST}.key").write_text(key)
        (self.folder / f"{HOST}.pem").write_text(certificate + key if self.key_in_certificate else certificate)

    def _make_folder_of_sockets(self):
        """What is made there has the group of the front end, as if the user of the hub were of it."""
        self.sockets.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.sockets, group="nogroup")
        self.sockets.chmod(0o2750)

    def whole(self, text):
        """What the program reads: the page's part, and what is around it on a Debian system."""
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def start(self):
        self.program.start()
        wait_until(lambda: is_listening(self.port) or not self.program.is_alive(), f"{self.name} to listen")
        assert self.program.is_alive(), self.program.output()[-3000:]

    def reload(self):
        """As its service does it; returns when the new configuration is in use."""
        before = self.children()
        self.program.signal(self.reload_signal)
        wait_until(lambda: self.children() - before, f"new processes of {self.name}")

    def children(self):
        return set(run(["pgrep", "--parent", self.program.pid], check=False).stdout.split())

    def stop(self):
        if self.program:
            self.program.stop()
        if self.folder:
            shutil.rmtree(self.folder)


class Nginx(FrontEnd):
    name = "nginx"
    reload_signal = signal.SIGHUP
    around = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\ndaemon off;\npid {folder}/pid;\nevents {{}}\n"
    around_http = (
        "http {{\naccess_log off;\nclient_body_temp_path {folder}/t1;\nproxy_temp_path {folder}/t2;\n"
        "fastcgi_temp_path {folder}/t3;\nuwsgi_temp_path {folder}/t4;\nscgi_temp_path {folder}/t5;\n{text}}}\n"
    )

    def whole(self, text):
        text = replaced(text, ("listen 443", f"listen {self.port}"), ("listen [::]:443", f"listen [::1]:{self.port}"))
        text = text.replace(f"listen {self.port}", f"listen 127.0.0.1:{self.port}")
        return self.around.format(folder=self.folder) + self.section(text)

    def section(self, text):
        return self.around_http.format(folder=self.folder, text=text)

    def command(self):
        return [find_tool("nginx"), "-p", self.folder, "-e", "stderr", "-c", self.config]


class NginxTcp(Nginx):
    ends_tls = False

    def section(self, text):
        return text


class Haproxy(FrontEnd):
    name = "haproxy"
    key_in_certificate = True
    reload_signal = signal.SIGUSR2

    def whole(self, text):
        return replaced(
            text,
            ("maxconn 20000", "maxconn 200"),  # fits the descriptors that a user of a machine for tests may have
            ("bind :443", f"bind 127.0.0.1:{self.port}"),
            ("bind [::]:443", f"bind [::1]:{self.port}"),
        )

    def command(self):
        return [find_tool("haproxy"), "-W", "-db", "-f", self.config]


class HaproxyTcp(Haproxy):
    ends_tls = False


class Apache(FrontEnd):
    name = "apache2"
    reload_signal = signal.SIGUSR1
    modules = ("mpm_event", "authz_core", "ssl", "socache_shmcb", "proxy", "proxy_http", "headers", "reqtimeout")

    def whole(self, text):
        modules = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in self.modules)
        return (
            f"ServerRoot {self.folder}\nDefaultRuntimeDir {self.folder}\nPidFile {self.folder}/pid\n"
            f"ErrorLog {self.folder}/error.log\nServerName localhost\n{modules}"
            f"Listen 127.0.0.1:{self.port}\nListen [::1]:{self.port}\n" + replaced(text, ("*:443", f"*:{self.port}"))
        )

    def command(self):
        return [find_tool("apache2"), "-D", "FOREGROUND", "-f", self.config]


class Caddy(FrontEnd):
    name = "caddy"

    def whole(self, text):
        return (
            f"{{\n    admin unix/{self.folder}/admin\n    auto_https disable_redirects\n"
            f"    default_bind 127.0.0.1 [::1]\n    storage file_system {self.folder}\n}}\n"
            + replaced(text, (f"{HOST} {{", f"{HOST}:{self.port} {{"))
        )

    def command(self, what="run"):
        return [find_tool("env"), f"HOME={self.folder}", find_tool("caddy"), what, *self._configuration()]

    def _configuration(self):
        return ["--config", self.config, "--adapter", "caddyfile"]

    def reload(self):
        run([*self.command("reload"), "--force", "--address", f"unix/{self.folder}/admin"])


class FrontEndRig(Rig):
    """An installation whose hub is reached through a front end only, under its public name."""

    # The hub listens on IPv4 only: when it knows a device's address it was told.
    addresses = {"service.cs": "127.0.0.1", "device.cs": "::1"}

    def __init__(self, directory, front_end):
        super().__init__(directory, host=HOST)
        self.front_end = front_end

    def init(self):
        super().init()
        self.front_end.prepare(self)
        return self

    def set_hub_yaml(self, **changes):
        settings = {
            "listen": f"127.0.0.1:{self.hub_port}",
            "mqtt_listen": f"127.0.0.1:{self.mqtt_port}",
            "public_url": f"https://{HOST}:{self.front_end.port}",
        }
        super().set_hub_yaml(**{**settings, **changes})

    def hub_section(self, credential):
        text = replaced(super().hub_section(credential), (f"port: {self.hub_port}", f"port: {self.front_end.port}"))
        if self.front_end.ends_tls:
            text = replaced(text, (str(self.ca_file), str(self.front_end.public_ca)))
        return f"{text}  address: '{self.addresses[credential]}'\n"

    def request(self, method, path, headers=()):
        """What any client gets through the front end: (status, body)."""
        context = ssl.create_default_context(cafile=str(self.front_end.public_ca))
        connection = http.client.HTTPConnection(HOST)
        with socket.create_connection((self.addresses["device.cs"], self.front_end.port), 30) as raw:
            connection.sock = context.wrap_socket(raw, server_hostname=HOST)
            connection.request(method, path, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()

    def hub_listens(self):
        return super().hub_listens() or (self.front_end.sockets / "http.sock").exists()

    def start_hub(self):
        """First, as a front end that probes its hub waits long for one that was not there."""
        super().start_hub()
        self.front_end.start()

    def start(self):
        return self.init().bring_up()

    def finish(self):
        try:
            super().finish()
        finally:
            self.front_end.stop()
