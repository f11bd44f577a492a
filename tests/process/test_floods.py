"""Slow strangers, floods of strangers, and a fleet that returns at once: who was there before does not notice."""
import concurrent.futures
import contextlib
import signal
import socket
import ssl
import struct

import pytest
from tests.harness.programs import SANITIZED, descriptor_count, wait_until
from tests.harness.rig import Rig
from tests.harness.wire import (
    mqtt_login,
    mqtt_subscribe,
    read_mqtt,
    read_websocket,
    tls_connect,
    websocket_frame,
    websocket_upgrade,
)

FLEET = 20 if SANITIZED else 40
PER_ADDRESS, IN_ALL = 40, 60


class Besieged(Rig):
    """A hub with little room for strangers and little patience with them."""

    def init(self):
        super().init()
        with open(self.hub_directory / "stream-hub.yaml", "a") as config:
            config.write(
                f"limits:\n  tls_timeout: 3s\n  head_timeout: 3s\n  idle_timeout: 20s\n"
                f"  connections_per_address: {PER_ADDRESS}\n  connections_without_login: {IN_ALL}\n"
            )
        return self


@pytest.fixture(scope="module")
def besieged(tmp_path_factory):
    rig = Besieged(tmp_path_factory.mktemp("besieged"))
    try:
        yield rig.start()
    finally:
        rig.finish()


@pytest.fixture
def bystander(besieged):
    """A stream that runs before, meanwhile and afterwards."""
    with besieged.connect("echo") as client:

        def works(word):
            client.sendall(word)
            return client.recv(64) == word

        assert works(b"before")
        yield works
        assert works(b"after")
    wait_until(lambda: besieged.echo(), "new streams to be opened again")


def drip_until_cut(send, read):
    """One byte at a time; returns the number sent when the hub had enough."""
    for sent in range(1000):
        try:
            send(sent)
            if read() == b"":
                return sent
        except TimeoutError:
            continue
        except (ConnectionError, ssl.SSLError):
            return sent
    raise AssertionError("the hub waited for all of it")


# --- slowness below HTTP and MQTT


def tls_by_hand(rig, port, host="127.0.0.1"):
    """(socket, TLS object, what it wants to send) after a handshake, so that a test decides how records travel."""
    context = ssl.create_default_context(cafile=str(rig.ca_file))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=host)
    raw = socket.create_connection((host, port), 20)
    while True:
        try:
            tls.do_handshake()
            raw.sendall(outgoing.read())
            return raw, tls, outgoing
        except ssl.SSLWantReadError:
            raw.sendall(outgoing.read())
            incoming.write(raw.recv(65536))


@pytest.mark.parametrize("listener", ["https", "mqtt"])
def test_a_tls_record_sent_byte_by_byte_is_cut_off(besieged, bystander, listener):
    port = besieged.hub_port if listener == "https" else besieged.mqtt_port
    raw, tls, outgoing = tls_by_hand(besieged, port)
    with raw:
        raw.settimeout(0.1)
        # The first byte begins the request; the rest comes in one long record, which never becomes whole.
        tls.write(b"G" if listener == "https" else b"\x10")
        raw.sendall(outgoing.read())
        tls.write(b"ET / HTTP/1.1\r\nHost: hub\r\n" + b"X: y\r\n" * 300)
        record = outgoing.read()
        assert drip_until_cut(lambda at: raw.sendall(record[at : at + 1]), lambda: raw.recv(4096)) < len(record)
    assert bystander(b"meanwhile")


def test_an_mqtt_packet_byte_by_byte_after_the_login_costs_the_hub_nothing(besieged, bystander):
    """Its sender has logged in: it may be slow, as long as it is heard within its keep-alive time."""
    credential = besieged.add_device("slow-talker")
    with tls_connect(besieged.mqtt_port, besieged.ca_file) as connection:
        connection.sendall(mqtt_login(credential))
        assert read_mqtt(connection) == (0x20, b"\0\0")
        for byte in mqtt_subscribe("$iothub/streams/POST/#"):
            connection.sendall(bytes([byte]))
        assert read_mqtt(connection)[0] == 0x90
    assert bystander(b"meanwhile")


def test_who_reads_no_answers_is_ended(besieged, bystander):
    with tls_connect(besieged.hub_port, besieged.ca_file) as connection:
        connection.settimeout(60)
        with pytest.raises((ConnectionError, ssl.SSLError)):
            for _ in range(2000):
                connection.sendall(b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n" * 500)
    assert bystander(b"meanwhile")


# --- floods


def open_from(address, port):
    connection = socket.socket()
    connection.bind((address, 0))
    connection.settimeout(20)
    connection.connect(("127.0.0.1", port))
    return connection


def is_refused(connection):
    """Let go at once, while the others may wait for three seconds."""
    connection.settimeout(1)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_a_flood_from_one_address_leaves_room_for_another(besieged, bystander):
    with contextlib.ExitStack() as stack:
        flood = [stack.enter_context(open_from("127.0.0.2", besieged.hub_port)) for _ in range(4 * PER_ADDRESS)]
        assert is_refused(flood[-1])
        assert besieged.echo(), "127.0.0.1 is not 127.0.0.2"
        assert bystander(b"meanwhile")
    besieged.hub.wait_for("too many connections without login")


def test_a_flood_from_many_addresses_is_bounded_too(besieged, bystander):
    with contextlib.ExitStack() as stack:
        for number in range(2, 8):
            for _ in range(PER_ADDRESS // 2):
                stack.enter_context(open_from(f"127.0.0.{number}", besieged.hub_port))
        assert besieged.echo(), "newcomers get the places of the silent"
        assert bystander(b"meanwhile")
        descriptors = descriptor_count(besieged.hub.pid)
        assert descriptors < IN_ALL + 60


# --- a fleet returns at once


def link(rig, credential):
    """A device's link over WebSocket, logged in and subscribed."""
    connection = tls_connect(rig.hub_port, rig.ca_file, timeout=60)
    status, _, rest = websocket_upgrade(connection, "/$iothub/websocket", {"Sec-WebSocket-Protocol": "mqtt"})
    assert (status, rest) == (101, b"")
    connection.sendall(
        websocket_frame(mqtt_login(credential)) + websocket_frame(mqtt_subscribe("$iothub/streams/POST/#"))
    )
    received = b""
    while len(received) < 9:
        received += read_websocket(connection)[1]
    assert received[:4] == b"\x20\x02\0\0" and received[4] == 0x90
    return connection


def test_a_fleet_is_told_of_a_restart_and_returns_in_a_storm(own_rig):
    rig = own_rig
    fleet = [rig.add_device(f"member-{number}") for number in range(FLEET)]
    with concurrent.futures.ThreadPoolExecutor(FLEET) as together:
        links = list(together.map(lambda credential: link(rig, credential), fleet))
        since = rig.device.mark()
        rig.hub.signal(signal.SIGTERM)
        for connection in links:
            assert read_websocket(connection) == (8, struct.pack(">H", 1012))
            connection.close()
        assert rig.hub.wait() == 0
        rig.device.wait_for(r"DS-503.*code 1012.*retry_in_ms", since)
        rig.start_hub()
        links = list(together.map(lambda credential: link(rig, credential), fleet))
    rig.wait_online()
    assert all(rig.is_online(f"member-{number}") for number in (0, FLEET // 2, FLEET - 1))
    wait_until(rig.echo, "streams after the storm")
    for connection in links:
        connection.close()
