"""Paths that swallow large packets without a word: a smaller MTU in the middle, and a firewall that drops ICMP."""
import contextlib
import re
import socket

import pytest
from tests.harness import namespaces
from tests.harness.programs import BIN, run
from tests.harness.rig import DEVICE, Rig

pytestmark = pytest.mark.release_only  # waits for the kernel's retransmissions

NEAR, FAR = "10.213.7.1", "10.213.8.1"
BULK = bytes(range(256)) * 2000
# As of a VPN: enough for all small messages, and not for a full packet.
TUNNEL = 1420


class NarrowRig(Rig):
    """The hub is behind the narrow path. One side is quick, and the other hears its peers' silence late."""

    def __init__(self, directory, near, router, far):
        self.router = router
        self.mss = {}  # by credential
        self.quick = "proxies"
        super().__init__(directory, host=FAR)
        self.hub.argv = far.command(*self.hub.argv)

    def hub_listens(self):
        with contextlib.suppress(OSError):
            socket.create_connection((FAR, self.hub_port), 10).close()
            return True
        return False

    def set_hub_yaml(self, **changes):
        super().set_hub_yaml(**{"liveness": self.liveness("hub"), **changes})

    def hub_section(self, credential):
        mss = f"  mss: {self.mss[credential]}\n" if credential in self.mss else ""
        return super().hub_section(credential) + mss + f"liveness: {self.liveness('proxies')}\n"

    def liveness(self, side):
        return f"{{ping_every: 1s, dead_after: {'12s' if side == self.quick else '120s'}}}"

    def echoes_bulk(self):
        """Whether it comes back; False when the stream breaks."""
        try:
            return self.echo(BULK)
        except OSError:
            return False


@contextlib.contextmanager
def narrow(directory, mtu):
    if missing := namespaces.why_not():
        pytest.skip(f"no network namespaces here: {missing}")
    with namespaces.joined_by_router(NEAR, FAR, mtu) as ends, ends[0].entered():
        rig = NarrowRig(directory, *ends)
        try:
            yield rig.init()
        finally:
            rig.finish()


@pytest.fixture
def rig(tmp_path):
    with narrow(tmp_path / "rig", TUNNEL) as rig:
        yield rig


def test_bulk_that_vanishes_on_its_way_to_the_hub_is_named_with_its_remedy(rig):
    rig.bring_up()
    assert rig.echo()
    assert not rig.echoes_bulk()
    rig.service.wait_for(r"stream ended.*leg to the hub: lost, DS-508 .*Set hub\.mss to 1200")


def test_bulk_that_vanishes_on_its_way_from_the_hub_is_named_by_the_hub(rig):
    rig.mss = {"device.cs": 1200}
    rig.quick = "hub"
    rig.bring_up(liveness=rig.liveness("hub"))
    (rig.web_root / "bulk").write_bytes(BULK)
    url = f"http://127.0.0.1:{rig.forward_ports['web']}/bulk"
    assert run(["curl", "-sS", "-o", "/dev/null", url], check=False).returncode != 0
    rig.hub.wait_for(r"stream ended.*service leg: lost, DS-508 .*mss in the hub's configuration")


@pytest.mark.parametrize("at", ["proxies", "hub"])
def test_small_segments_pass(rig, at):
    if at == "proxies":
        rig.mss = {"device.cs": 1200, "service.cs": 1200}
        rig.bring_up()
    else:
        rig.bring_up(mss=1200)
    assert rig.echo(BULK)
    assert "DS-508" not in rig.service.output() + rig.hub.output() + rig.device.output()


def test_a_certificate_that_never_arrives_is_named_with_its_remedy(tmp_path):
    with narrow(tmp_path / "rig", 600) as rig:
        rig.start_hub()
        rig.device_cs = rig.add_device(DEVICE)
        rig.write_proxy_configs()
        config = rig.directory / "short.yaml"
        config.write_text(rig.hub_section("service.cs") + "timeouts: {hub: 3s}\n")
        stdio = [BIN / "service-proxy", "--config", config, "--stdio", f"{DEVICE}/echo"]
        failed = run(stdio, check=False)
        assert re.search(r"no stream: DS-205 .*the connection stands.*hub\.mss", failed.stderr), failed.stderr

        rig.mss = {"device.cs": 548, "service.cs": 548}
        rig.write_proxy_configs()
        rig.device.start()
        rig.service.start()
        rig.wait_ready()
        assert rig.echo(BULK)
