"""Machines with nothing but IPv6, and a hub that has nothing but IPv4: NAT64, with DNS64 and without."""
import contextlib

import pytest
from tests.harness import namespaces
from tests.harness.http_proxies import Tinyproxy
from tests.harness.name_server import NameServer, asking_it
from tests.harness.programs import BIN, run
from tests.harness.rig import DEVICE, Rig

HUB = "192.0.2.7"
KNOWN = ("192.0.0.170", "192.0.0.171")


def behind(prefix, *addresses):
    return [prefix + address for address in addresses]


@pytest.fixture
def namespace():
    """The test, and what it starts, is inside, where IPv6 leads everywhere and IPv4 nowhere."""
    if missing := namespaces.why_not():
        pytest.skip(f"no network namespaces here: {missing}")
    with contextlib.closing(namespaces.Namespace()) as namespace, namespace.entered():
        namespace.run("ip", "address", "add", "2001:db8::7/64", "dev", "lo", "nodad")
        namespace.run("ip", "-6", "route", "add", "default", "dev", "lo")
        yield namespace


@pytest.fixture
def name_server(namespace):
    """A function that starts it with these names."""
    with contextlib.ExitStack() as stack:
        yield lambda names: stack.enter_context(contextlib.closing(NameServer(names)))


class Ipv6OnlyRig(Rig):
    """The hub has the addresses at which a NAT64 would take connections to it."""

    def __init__(self, directory, hub_address=None):
        super().__init__(directory, host="hub.test")
        self.hub_address = hub_address
        for program in (self.device, self.service):
            program.argv = asking_it(self.directory, program.argv)

    def set_hub_yaml(self, **changes):
        super().set_hub_yaml(listen=f"'[::]:{self.hub_port}'", mqtt_listen=f"'[::]:{self.mqtt_port}'", **changes)

    def hub_section(self, credential):
        address = f"  address: '{self.hub_address}'\n" if self.hub_address else ""
        return super().hub_section(credential) + address


@contextlib.contextmanager
def running(rig):
    try:
        yield rig
    finally:
        rig.finish()


@pytest.mark.parametrize("prefix", ["64:ff9b::", "64:ff9b:1::"])
def test_a_hub_with_an_ipv4_address_is_reached_through_the_nat64_that_dns_tells_of(
    namespace, name_server, tmp_path, prefix
):
    namespace.run("ip", "address", "add", prefix + HUB, "dev", "lo", "nodad")
    names = name_server({"hub.test": [HUB], "ipv4only.arpa": [*KNOWN, *behind(prefix, *KNOWN)]})
    with running(Ipv6OnlyRig(tmp_path / "rig")) as rig:
        rig.start()
        assert rig.echo()
    assert "ipv4only.arpa" in names.asked


def test_an_ipv4_address_in_the_configuration_is_reached_through_nat64(namespace, name_server, tmp_path):
    namespace.run("ip", "address", "add", "2001:db8:122:c000:2:700::", "dev", "lo", "nodad")
    names = name_server({"ipv4only.arpa": [*KNOWN, "2001:db8:122:c000:0:aa00::"]})
    with running(Ipv6OnlyRig(tmp_path / "rig", hub_address=HUB)) as rig:
        rig.start()
        assert rig.echo()
    assert "hub.test" not in names.asked


def test_an_http_proxy_with_an_ipv4_address_is_reached_through_nat64(namespace, name_server, tmp_path):
    proxy_address = "192.0.2.8"
    namespace.run("ip", "address", "add", "64:ff9b::" + proxy_address, "dev", "lo", "nodad")
    name_server({"proxy.test": [proxy_address], "ipv4only.arpa": [*KNOWN, *behind("64:ff9b::", *KNOWN)]})
    with running(Ipv6OnlyRig(tmp_path / "rig", hub_address="127.0.0.1")) as rig:
        rig.start()
        proxy = Tinyproxy(tmp_path, [rig.hub_port], address="::").start()
        url = proxy.url_with_credentials.replace("127.0.0.1", "proxy.test")
        config = rig.directory / "through.yaml"
        config.write_text(rig.hub_section("service.cs") + f"  http_proxy: {url}\n")
        stdio = [BIN / "service-proxy", "--config", config, "--stdio", f"{DEVICE}/echo"]
        try:
            assert run(asking_it(rig.directory, stdio), input="word\n").stdout == "word\n"
        finally:
            proxy.stop()
        assert proxy.requests()


def test_an_address_from_dns64_is_taken_as_it_is(namespace, name_server, tmp_path):
    namespace.run("ip", "address", "add", "64:ff9b::" + HUB, "dev", "lo", "nodad")
    names = name_server({"hub.test": ["64:ff9b::" + HUB], "ipv4only.arpa": [*KNOWN, *behind("2001:db8:1::", *KNOWN)]})
    with running(Ipv6OnlyRig(tmp_path / "rig")) as rig:
        rig.start()
        assert rig.echo()
    assert "ipv4only.arpa" not in names.asked


def test_a_dead_ipv6_address_of_the_hub_stands_in_no_ones_way_to_its_ipv4_address(namespace, name_server, tmp_path):
    """DNS64 makes nothing up for a name that has an IPv6 address."""
    dead = "2001:db8::dead"
    namespace.run("ip", "address", "add", dead, "dev", "lo", "nodad")
    namespace.run("ip", "address", "add", "64:ff9b::" + HUB, "dev", "lo", "nodad")
    namespace.run(
        "nft",
        "add table inet faults; "
        "add chain inet faults input { type filter hook input priority 0; }; "
        f"add rule inet faults input ip6 daddr {dead} counter drop",
    )
    name_server({"hub.test": [dead, HUB], "ipv4only.arpa": [*KNOWN, *behind("64:ff9b::", *KNOWN)]})
    with running(Ipv6OnlyRig(tmp_path / "rig")) as rig:
        rig.start()
        assert rig.echo()


def test_without_nat64_the_error_says_what_to_do_and_that_helps(namespace, name_server, tmp_path):
    namespace.run("ip", "address", "add", "64:ff9b::" + HUB, "dev", "lo", "nodad")
    name_server({"hub.test": [HUB], "ipv4only.arpa": KNOWN})
    with running(Ipv6OnlyRig(tmp_path / "rig")) as rig:
        rig.init()
        rig.start_hub()
        rig.device_cs = rig.add_device(DEVICE)
        rig.write_proxy_configs()
        rig.device.start()
        rig.device.wait_for(
            rf"DS-201 the hub cannot be reached: connecting to hub.test:{rig.hub_port}: this machine has no IPv4"
            ".*DNS64.*IPv6 address"
        )
        stdio = [BIN / "service-proxy", "--config", rig.directory / "service-proxy.yaml", "--stdio", f"{DEVICE}/echo"]
        failed = run(asking_it(rig.directory, stdio), check=False)
        assert failed.returncode == 69 and "DS-201" in failed.stderr and "DNS64" in failed.stderr

        rig.device.stop()
        rig.hub_address = "64:ff9b::" + HUB
        rig.write_proxy_configs()
        rig.device.start()
        rig.service.start()
        rig.wait_ready()
        assert rig.echo()
