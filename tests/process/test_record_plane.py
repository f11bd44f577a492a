"""Who protects the records of TLS: our record plane, with either back end, or OpenSSL, as the configuration has it."""
import os
import re
import signal

import pytest
from tests.harness.programs import BIN, run
from tests.harness.rig import Rig

EVP = {"DEVICE_STREAMS_RECORD_PLANE_BACKEND": "evp"}
PLANE, OPENSSL = "TLSv1.3, record plane", "TLSv1.3, OpenSSL"


class RigWithModes(Rig):
    """With tls.record_plane as given for hub, device-proxy and service-proxy."""

    def __init__(self, directory, hub, device, service):
        super().__init__(directory)
        self.modes = {"hub": hub, "device-proxy": device, "service-proxy": service}

    def init(self):
        super().init()
        self.set_hub_yaml(log="{level: debug}", tls=f"{{record_plane: {self.modes['hub']}}}")
        return self

    def write_proxy_configs(self):
        super().write_proxy_configs()
        for name in ("device-proxy", "service-proxy"):
            with open(self.directory / f"{name}.yaml", "a") as config:
                config.write(f"tls: {{record_plane: {self.modes[name]}}}\n")

    def told_of_tls(self, since=0):
        """What the hub's log says of its connections."""
        return set(re.findall(r'TLS is up.*?tls"?[=:] ?"([^"]*)"', self.hub.output()[since:]))


@pytest.mark.parametrize("name", ["stream-hub", "device-proxy", "service-proxy"])
def test_the_version_says_what_is_used_for_tls(name):
    plain = run([BIN / name, "--version"]).stdout
    told = run([BIN / name, "--version", "--verbose"]).stdout.splitlines()
    assert told[0] + "\n" == plain
    assert re.fullmatch(r"record plane: (evp|ipsec-mb 1\.3\.0)", told[1])
    assert re.fullmatch(r"OpenSSL 3\.\d+\.\d+ .*", told[2])
    forced = run([BIN / name, "--version", "--verbose"], env={**os.environ, **EVP}).stdout.splitlines()
    assert forced[1] == "record plane: evp"


@pytest.mark.parametrize("hub", ["auto", "off"])
@pytest.mark.parametrize("device, service", [("auto", "off"), ("off", "auto"), ("off", "off")])
def test_each_end_may_leave_all_to_openssl(tmp_path, hub, device, service):
    rig = RigWithModes(tmp_path / "rig", hub, device, service)
    try:
        rig.start()
        assert rig.echo(os.urandom(3 << 20))
        assert run(rig.ssh("echo", "far", "side")).stdout == "far side\n"
        assert rig.told_of_tls() == {PLANE if hub == "auto" else OPENSSL}
        for program, mode in ((rig.hub, hub), (rig.device, device), (rig.service, service)):
            (used,) = re.findall(r'starting.*record_plane"?[=:] ?"([^"]*)"', program.output())
            assert used.startswith(("evp", "ipsec-mb") if mode == "auto" else "off")
    finally:
        rig.finish()


def test_without_ipsec_mb_evp_serves(tmp_path):
    rig = RigWithModes(tmp_path / "rig", "auto", "auto", "auto")
    for program in (rig.hub, rig.device, rig.service):
        program.environment.update(EVP)
    try:
        rig.start()
        assert rig.echo(os.urandom(3 << 20))
        assert re.search(r'starting.*record_plane"?[=:] ?"evp"', rig.hub.output())
    finally:
        rig.finish()


def test_a_reload_counts_for_new_connections(tmp_path):
    rig = RigWithModes(tmp_path / "rig", "auto", "auto", "auto")
    try:
        rig.start()
        with rig.running_stream() as before:
            since = len(rig.hub.output())
            rig.set_hub_yaml(log="{level: debug}", tls="{record_plane: off}")
            assert rig.admin("reload") == "changed: tls.record_plane\n"
            for proxy in (rig.device, rig.service):
                path = rig.directory / f"{proxy.name}.yaml"
                path.write_text(path.read_text().replace("record_plane: auto", "record_plane: off"))
                mark = proxy.mark()
                proxy.signal(signal.SIGHUP)
                proxy.wait_for("configuration reloaded.*tls.record_plane", mark)
            assert rig.echo(os.urandom(1 << 20))
            assert rig.told_of_tls(since) == {OPENSSL}
            before.sendall(b"y" * 100_000)
            received = 0
            while received < 100_000:
                received += len(before.recv(65536))
    finally:
        rig.finish()
