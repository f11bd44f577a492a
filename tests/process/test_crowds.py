"""Crowds of strangers: whoever has a credential gets in all the same."""
import contextlib
import pathlib
import resource
import socket
import ssl

import pytest
from tests.harness import namespaces
from tests.harness.crowd import crowd
from tests.harness.named_rig import NamedRig
from tests.harness.programs import SANITIZED
from tests.harness.rig import Rig
from tests.harness.wire import mqtt_login, read_mqtt, tls_connect

STRANGERS = 500 if SANITIZED else 5000
PER_ADDRESS, IN_ALL = STRANGERS // 25, STRANGERS // 5
NETWORK, HUB = "2001:db8:77::/48", "2001:db8:77::1"
TRIES, ALLOWED_FAILURES = 100, 1
ROOM = f"limits:\n  connections_per_address: {PER_ADDRESS}\n  connections_without_login: {IN_ALL}\n"


@pytest.fixture(autouse=True)
def descriptors():
    """Enough for the strangers, and for the hub, which inherits it."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = STRANGERS + 1000
    if before[1] < wanted:
        pytest.skip(f"only {before[1]} descriptors here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], wanted), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextlib.contextmanager
def little_room(rig):
    """With room for a fifth of the strangers."""
    try:
        rig.init()
        with open(rig.hub_directory / "stream-hub.yaml", "a") as config:
            config.write(ROOM)
        yield rig.bring_up_with_ssh()
    finally:
        rig.finish()


def failures(rig, log_in):
    """Of honest logins and opens."""
    failed = []
    for number in range(TRIES):
        for action in (log_in, rig.echo):
            try:
                assert action()
            except (OSError, AssertionError, EOFError, ssl.SSLError) as why:
                failed.append(f"{number} {action.__name__}: {why!r}")
    return failed


def wait_for_more_than_there_is_room_for(lines):
    for _ in range(STRANGERS // 1000 + 1):
        assert lines.readline(), "the strangers have given up"


def test_ten_addresses_lock_nobody_out(tmp_path):
    with little_room(CrowdedRig(tmp_path / "rig")) as rig:
        credential = rig.add_device("late-comer")

        def log_in():
            with tls_connect(rig.mqtt_port, rig.ca_file) as connection:
                connection.sendall(mqtt_login(credential))
                return read_mqtt(connection) == (0x20, b"\0\0")

        with crowd("127.0.0.1", rig.hub_port, STRANGERS, 10, "127.9.0.0/28") as lines:
            wait_for_more_than_there_is_room_for(lines)
            failed = failures(rig, log_in)
        assert len(failed) <= 2 * ALLOWED_FAILURES, failed


class CrowdedRig(Rig):
    def bring_up_with_ssh(self):
        self.sshd.start()
        return self.bring_up()


class CrowdedNetworkRig(NamedRig):
    def __init__(self, directory):
        super().__init__(directory, "hub.test", [f"{HUB} hub.test"])

    def set_hub_yaml(self, **changes):
        super().set_hub_yaml(
            **{"listen": f"'[::]:{self.hub_port}'", "mqtt_listen": f"'[::]:{self.mqtt_port}'", **changes}
        )

    bring_up_with_ssh = CrowdedRig.bring_up_with_ssh


@pytest.fixture
def network():
    """A namespace where every address of a /48 is ours."""
    if missing := namespaces.why_not():
        pytest.skip(f"no network namespaces here: {missing}")
    with contextlib.closing(namespaces.Namespace()) as namespace, namespace.entered():
        namespace.run("ip", "-6", "route", "add", "local", NETWORK, "dev", "lo")
        pathlib.Path("/proc/sys/net/ipv6/ip_nonlocal_bind").write_text("1")
        yield namespace


def test_a_network_of_48_bits_locks_nobody_out_not_even_its_own(network, tmp_path):
    with little_room(CrowdedNetworkRig(tmp_path / "rig")) as rig:
        credential = rig.add_device("late-comer")
        context = ssl.create_default_context(cafile=str(rig.ca_file))

        def log_in():
            raw = socket.create_connection((HUB, rig.mqtt_port), 20, source_address=("2001:db8:77:1234::5", 0))
            with raw, context.wrap_socket(raw, server_hostname="hub.test") as connection:
                connection.sendall(mqtt_login(credential))
                return read_mqtt(connection) == (0x20, b"\0\0")

        with crowd(HUB, rig.hub_port, STRANGERS, 65536, NETWORK) as lines:
            wait_for_more_than_there_is_room_for(lines)
            failed = failures(rig, log_in)
        assert len(failed) <= 2 * ALLOWED_FAILURES, failed
