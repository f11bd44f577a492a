"""An installation behind a proxy of the network, and single streams with settings of the test's."""
import os
import subprocess

from .http_proxies import PASSWORD, USER
from .programs import BIN, environment_without_proxy, run
from .rig import DEVICE, Rig


class ProxiedRig(Rig):
    """Both programs go through a proxy, with their password, if it wants one, in a file."""

    def __init__(self, directory, make_proxy, **options):
        super().__init__(directory, **options)
        self.secrets |= {PASSWORD}
        self.proxy = make_proxy(self)

    def hub_section(self, credential):
        lines = super().hub_section(credential) + f"  http_proxy: {self.proxy.url}\n"
        if self.proxy.wants_password:
            credentials = self.directory / "proxy.credentials"
            credentials.write_text(f"{USER}:{PASSWORD}\n")
            lines += f"  http_proxy_credentials_file: {credentials}\n"
        return lines + (f"  http_proxy_ca_file: {self.proxy.ca_file}\n" if self.proxy.scheme == "https" else "")

    def start(self):
        self.proxy.start()
        return super().start()

    def finish(self):
        try:
            super().finish()
        finally:
            self.proxy.stop()


def carries_both_ways(rig, tmp_path):
    sent = os.urandom(8_000_000)
    (tmp_path / "sent").write_bytes(sent)
    back = run(rig.ssh("cat"), input=(tmp_path / "sent").read_bytes(), text=False).stdout
    assert back == sent


def works(rig):
    try:
        return rig.echo()
    except OSError:
        return False


class OneStream:
    """One stream of service-proxy --stdio to the echo service, with settings of the test's."""

    def __init__(self, rig, directory, hub_lines, environment=None):
        config = directory / "one.yaml"
        config.write_text(
            Rig.hub_section(rig, "service.cs") + "".join(f"  {line}\n" for line in hub_lines) + "timeouts: {hub: 5s}\n"
        )
        self.done = subprocess.run(
            [BIN / "service-proxy", "--config", config, "--stdio", f"{DEVICE}/echo"],
            input="word\n",
            capture_output=True,
            text=True,
            timeout=60,
            env={**environment_without_proxy(), **(environment or {})},
        )
        assert PASSWORD not in self.done.stderr and "sesame" not in self.done.stderr

    def check_carried(self):
        assert (self.done.returncode, self.done.stdout) == (0, "word\n"), self.done.stderr

    def check_failed(self, code, *words):
        assert self.done.returncode != 0 and f"no stream: {code} " in self.done.stderr, self.done.stderr
        assert all(word in self.done.stderr for word in words), self.done.stderr
