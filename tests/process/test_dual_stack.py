"""Names with an IPv6 address on which nothing ever answers, and an IPv4 address that works (RFC 8305)."""
import contextlib

import pytest
from tests.harness import namespaces
from tests.harness.http_proxies import Tinyproxy
from tests.harness.named_rig import NamedRig
from tests.harness.programs import BIN, run
from tests.harness.rig import DEVICE

DEAD = "2001:db8::2"
NAMES = ("hub.test", "proxy.test", "service.test")


@pytest.fixture
def namespace():
    """The test, and what it starts, is inside. The dead address looks like any other, but its packets vanish."""
    if missing := namespaces.why_not():
        pytest.skip(f"no network namespaces here: {missing}")
    with contextlib.closing(namespaces.Namespace()) as namespace, namespace.entered():
        namespace.run("ip", "address", "add", f"{DEAD}/64", "dev", "lo", "nodad")
        namespace.run(
            "nft",
            "add table inet faults; "
            "add chain inet faults input { type filter hook input priority 0; }; "
            f"add rule inet faults input ip6 daddr {DEAD} counter drop",
        )
        yield namespace


class DualStackRig(NamedRig):
    def __init__(self, directory):
        names = [f"{address} {name}" for name in NAMES for address in (DEAD, "127.0.0.1")]
        super().__init__(directory, "hub.test", names)

    def set_hub_yaml(self, **changes):
        super().set_hub_yaml(listen=f"127.0.0.1:{self.hub_port}", mqtt_listen=f"127.0.0.1:{self.mqtt_port}", **changes)

    def write_proxy_configs(self):
        super().write_proxy_configs()
        path = self.directory / "device-proxy.yaml"
        services = path.read_text().replace(
            f"echo: 127.0.0.1:{self.local_port('echo')}", f"echo: service.test:{self.local_port('echo')}"
        )
        path.write_text(services)


def test_a_dead_ipv6_address_stands_in_no_ones_way(namespace, tmp_path):
    """Neither in that of both programs to the hub, nor of the device to its service, nor to an HTTP proxy."""
    rig = DualStackRig(tmp_path / "rig")
    try:
        rig.start()
        assert rig.echo()
        assert namespace.dropped() >= 3  # all tried it first: hub twice, service

        proxy = Tinyproxy(tmp_path, [rig.hub_port]).start()
        before = namespace.dropped()
        through = rig.directory / "through.yaml"
        url = proxy.url_with_credentials.replace("127.0.0.1", "proxy.test")
        through.write_text(rig.hub_section("service.cs") + f"  http_proxy: {url}\n  address: 127.0.0.1\n")
        stdio = [BIN / "service-proxy", "--config", through, "--stdio", f"{DEVICE}/echo"]
        try:
            assert run(rig.with_names(stdio), input="word\n").stdout == "word\n"
        finally:
            proxy.stop()
        assert proxy.requests() and namespace.dropped() > before
    finally:
        rig.finish()
