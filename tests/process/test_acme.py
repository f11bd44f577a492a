"""A certificate of Let's Encrypt as docs/reverse-proxies.md gets it: the hub serves it, and the renewed one."""
import os
import signal
import socket
import ssl

import pytest
from tests.harness.acme import AcmeServer
from tests.harness.documents import commands
from tests.harness.front_ends import HOST, of_page, page, replaced
from tests.harness.programs import BIN, find_tool, run, wait_until
from tests.harness.rig import Rig

pytestmark = pytest.mark.release_only

HOOK = "/usr/local/sbin/install-hub-certificate"


class CertifiedHub(Rig):
    """A hub under its public name, with certbot and everything that it touches in the folder of the test."""

    def __init__(self, directory, authority):
        super().__init__(directory, host=HOST)
        self.authority = authority
        self.hook = self.directory / "install-hub-certificate"
        self.told = self.directory / "told-systemctl"

    def set_hub_yaml(self, **changes):
        super().set_hub_yaml(listen=f"127.0.0.1:{self.hub_port}", mqtt_listen=f"127.0.0.1:{self.mqtt_port}", **changes)

    def write_hook(self, *changes):
        hook = replaced(page("sh", "RENEWED_LINEAGE"), ("/etc/stream-hub", str(self.hub_directory)), *changes)
        self.hook.write_text(hook)
        self.hook.chmod(0o755)

    def write_systemctl(self):
        tools = self.directory / "bin"
        tools.mkdir()
        (tools / "systemctl").write_text(f'#!/bin/sh\necho "$@" >>{self.told}\n')
        (tools / "systemctl").chmod(0o755)
        return tools

    def certbot(self, words, *more):
        folders = [word for name in ("config", "work", "logs") for word in (f"--{name}-dir", self.directory / name)]
        environment = {
            **os.environ,
            "REQUESTS_CA_BUNDLE": str(self.authority.ca_file),
            "PATH": f"{self.directory / 'bin'}:{os.environ['PATH']}",
        }
        run([find_tool("certbot"), *words, "--non-interactive", *folders, *more], env=environment)

    def obtain(self):
        """With the page's own command line; what is added is about this authority and these folders."""
        (block,) = [block for block in of_page() if block.language == "sh" and "certonly" in block.text]
        (words,) = [words[2:] for words in commands(block) if words[1] == "certbot"]
        assert HOOK in words
        here = ["--server", self.authority.url, "--http-01-port", self.authority.http_port]
        agreed = ["--agree-tos", "--register-unsafely-without-email", "--http-01-address", "127.0.0.1"]
        self.certbot([self.hook if word == HOOK else word for word in words], *here, *agreed)

    def renew(self):
        """What the timer of certbot's package starts, as if the time had come."""
        self.certbot(["renew"], "--force-renewal", "--no-random-sleep-on-renew")

    def served(self):
        """The certificate that the hub shows to a client who trusts the authority alone."""
        context = ssl.create_default_context(cadata=self.authority.root())
        with socket.create_connection(("127.0.0.1", self.hub_port), 30) as raw:
            with context.wrap_socket(raw, server_hostname=HOST) as connection:
                return connection.getpeercert()["serialNumber"]

    def hand_over(self):
        """What `systemctl restart` does under the packages' unit."""
        self.hub.signal(signal.SIGUSR2)
        assert self.hub.wait() == 0
        self.start_hub()


@pytest.fixture
def certified(tmp_path):
    authority = AcmeServer(tmp_path)
    rig = CertifiedHub(tmp_path / "rig", authority)
    try:
        authority.start()
        rig.init().start_hub()
        yield rig
    finally:
        rig.finish()
        authority.stop()


def test_certbot_gets_a_certificate_and_renews_it(certified):
    since = certified.hub.mark()
    config = certified.hub_directory / "stream-hub.yaml"
    certified.write_hook(("systemctl restart stream-hub", f"{BIN / 'stream-hub'} reload --config {config}"))
    certified.obtain()
    certified.hub.wait_for("a new certificate is served", since)
    first = certified.served()

    certified.write_systemctl()
    certified.write_hook()
    certified.renew()
    assert certified.told.read_text() == "restart stream-hub\n"
    certified.hand_over()
    wait_until(lambda: certified.served() != first, "the renewed certificate")
