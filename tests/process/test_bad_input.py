"""Garbage, oversize and slowness at every layer of the hub. A stream that runs meanwhile must not notice."""
import contextlib
import os
import random
import socket
import ssl
import struct
import time

import pytest
from tests.harness.programs import SANITIZED, wait_until
from tests.harness.rig import DEVICE, Rig
from tests.harness.wire import (
    http_request,
    mqtt_connect,
    mqtt_login,
    mqtt_packet,
    mqtt_string,
    mqtt_subscribe,
    read_mqtt,
    read_until_closed,
    read_websocket,
    service_token,
    tls_connect,
    websocket_frame,
    websocket_upgrade,
)

random_bytes = random.Random(1).randbytes  # the same garbage in each run


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """A hub with short limits, for the tests of slowness."""
    rig = Rig(tmp_path_factory.mktemp("limited"))
    rig.init()
    with open(rig.hub_directory / "stream-hub.yaml", "a") as config:
        config.write("limits:\n  tls_timeout: 1s\n  head_timeout: 1s\n  idle_timeout: 2s\n")
    rig.start_hub()
    yield rig
    rig.finish()


@pytest.fixture(autouse=True)
def bystander(rig):
    """A stream that is open before the bad input and carries on after it."""
    with rig.connect("echo") as client:
        client.sendall(b"before")
        assert client.recv(10) == b"before"
        pid = rig.hub.pid
        yield client
        client.sendall(b"after")
        assert client.recv(10) == b"after"
        assert rig.hub.is_alive() and rig.hub.pid == pid
    assert rig.echo(), "the hub takes new streams"


@contextlib.contextmanager
def plain(port):
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        yield connection


def closed(connection):
    """True when the hub ended the connection instead of waiting for ever."""
    connection.settimeout(20)
    read_until_closed(connection)
    return True


def send_all_of(connection, data):
    """The hub may close before it has read everything."""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        connection.sendall(data)


def ports(rig):
    return {"https": rig.hub_port, "mqtt": rig.mqtt_port}


@contextlib.contextmanager
def device_link(rig, subscribe=True):
    """A raw MQTT link that is logged in as another device than the one that works."""
    if not getattr(rig, "raw_device_cs", None):
        rig.raw_device_cs = rig.add_device("raw-device")
    with tls_connect(rig.mqtt_port, rig.ca_file) as connection:
        connection.sendall(mqtt_login(rig.raw_device_cs))
        assert read_mqtt(connection)[1][1] == 0
        if subscribe:
            connection.sendall(mqtt_subscribe("$iothub/streams/POST/#", "$iothub/streams/res/#"))
            assert read_mqtt(connection)[0] == 0x90
        yield connection


@contextlib.contextmanager
def service_leg(rig):
    """A stream to echo whose service leg is a raw WebSocket."""
    with tls_connect(rig.hub_port, rig.ca_file) as rest:
        status, headers, _ = http_request(
            rest,
            "POST",
            f"/twins/{DEVICE}/streams/echo.{os.urandom(4).hex()}?api-version=2020-09-30",
            {"Authorization": service_token(rig.service_cs), "iothub-streaming-response-timeout-in-seconds": "20"},
        )
        assert (status, headers["iothub-streaming-is-accepted"]) == (200, "True")
    path = "/" + headers["iothub-streaming-url"].split("/", 3)[3]
    with tls_connect(rig.hub_port, rig.ca_file) as connection:
        status, _, _ = websocket_upgrade(
            connection, path, {"Authorization": "Bearer " + headers["iothub-streaming-auth-token"]}
        )
        assert status == 101
        connection.sendall(websocket_frame(b"hi"))
        assert read_websocket(connection) == (2, b"hi")
        yield connection


# --- before, in and after the TLS handshake


@pytest.mark.parametrize("listener", ["https", "mqtt"])
@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n",
        b"\0" * 4096,
        random_bytes(4096),
        b"SSH-2.0-scanner\r\n",
        b"\x16\x03\x01\xff\xff" + b"\1" * 70000,
    ],
    ids=["plain-http", "zeros", "random", "ssh", "endless-hello"],
)
def test_garbage_instead_of_tls(rig, listener, garbage):
    with plain(ports(rig)[listener]) as connection:
        send_all_of(connection, garbage)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        assert closed(connection)


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    handshake = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with contextlib.suppress(ssl.SSLWantReadError):
        handshake.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("listener", ["https", "mqtt"])
@pytest.mark.parametrize("broken", ["cut", "then-garbage", "flipped"])
def test_a_tls_handshake_that_goes_wrong(rig, listener, broken):
    hello = client_hello()
    data = {
        "cut": hello[: len(hello) // 2],
        "then-garbage": hello + random_bytes(2000),
        "flipped": hello[:60] + bytes(byte ^ 0xFF for byte in hello[60:120]) + hello[120:],
    }[broken]
    with plain(ports(rig)[listener]) as connection:
        send_all_of(connection, data)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        assert closed(connection)


@pytest.mark.parametrize("listener", ["https", "mqtt"])
def test_garbage_records_after_the_tls_handshake(rig, listener):
    context = ssl.create_default_context(cafile=str(rig.ca_file))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with plain(ports(rig)[listener]) as connection:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
                incoming.write(connection.recv(65536))
        connection.sendall(outgoing.read())
        send_all_of(connection, b"\x17\x03\x03\x10\x00" + random_bytes(4096))
        assert closed(connection)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(rig):
    context = ssl.create_default_context(cafile=str(rig.ca_file))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with plain(rig.hub_port) as connection, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(connection, server_hostname="127.0.0.1")


# --- HTTP


def test_a_request_of_two_lengths_is_refused(rig):
    with tls_connect(rig.hub_port, rig.ca_file) as connection:
        status, _, _ = http_request(connection, "POST", "/", {"Transfer-Encoding": "chunked"}, b"0\r\n\r\n")
        assert status == 400


def test_a_request_for_what_is_not_there_is_refused(rig):
    with tls_connect(rig.hub_port, rig.ca_file) as connection:
        status, _, _ = http_request(connection, "GET", "/", {"Authorization": service_token(rig.service_cs)})
        assert status == 404


def test_a_timeout_that_is_no_number_is_refused(rig):
    with tls_connect(rig.hub_port, rig.ca_file) as connection:
        status, headers, _ = http_request(
            connection,
            "POST",
            f"/twins/{DEVICE}/streams/echo.00000000?api-version=2020-09-30",
            {"Authorization": service_token(rig.service_cs), "iothub-streaming-connect-timeout-in-seconds": "abc"},
        )
        assert (status, headers["iothub-errorcode"]) == (400, "ArgumentInvalid")


# --- WebSocket


def test_a_leg_without_a_good_token_is_refused(rig):
    path = f"/bridges/ih/hub1/d/{DEVICE}/sid/{'0' * 32}/r/service"
    with tls_connect(rig.hub_port, rig.ca_file) as connection:
        status, _, _ = websocket_upgrade(connection, path, {"Authorization": "Bearer x.y.z"})
        assert status == 401


def test_a_frame_that_breaks_the_protocol_ends_that_stream_only(rig):
    with service_leg(rig) as connection:
        connection.sendall(websocket_frame(b"hello", first_byte=0xC2))
        assert closed(connection)


def test_a_stream_cut_within_a_frame_ends(rig):
    with service_leg(rig) as connection:
        connection.sendall(websocket_frame(b"x" * 1000)[:500])
    wait_until(lambda: rig.admin("streams", "list").count("echo.") == 1, "only the bystander's stream to be left")


def test_a_message_of_many_megabytes_arrives_in_pieces(rig):
    """Sizes have no meaning: the hub passes on what it has and never keeps a whole message."""
    size = 4 * 1024 * 1024
    with service_leg(rig) as connection:
        frame = b"\x82\xff" + struct.pack(">Q", size) + b"\0\0\0\0"
        connection.sendall(frame)
        sent = received = 0
        while received < size:
            if sent < size and sent - received < 262_144:
                connection.sendall(b"z" * 65536)
                sent += 65536
            else:
                opcode, payload = read_websocket(connection)
                assert opcode == 2 and payload.strip(b"z") == b""
                received += len(payload)


# --- MQTT


def test_mqtt_that_does_not_begin_with_a_connect_is_ended(rig):
    with tls_connect(rig.mqtt_port, rig.ca_file) as connection:
        send_all_of(connection, random_bytes(4096))
        assert closed(connection)


def test_mqtt_that_goes_wrong_after_the_login_is_ended(rig):
    with device_link(rig) as connection:
        connection.sendall(mqtt_packet(0x36, mqtt_string("a") + b"\0\1"))
        assert closed(connection)


def test_garbage_in_mqtt_over_websocket(rig):
    with tls_connect(rig.hub_port, rig.ca_file) as connection:
        status, headers, _ = websocket_upgrade(connection, "/$iothub/websocket", {"Sec-WebSocket-Protocol": "mqtt"})
        assert (status, headers["sec-websocket-protocol"]) == (101, "mqtt")
        connection.sendall(websocket_frame(random_bytes(2000)))
        assert closed(connection)


# --- slowness


def test_a_client_that_never_speaks_tls_is_closed(limited):
    with plain(limited.hub_port) as connection:
        begin = time.monotonic()
        assert closed(connection)
        assert time.monotonic() - begin < 10


def drip(connection, data, seconds):
    """One byte every 100 ms; returns when the peer has closed or all is sent."""
    deadline = time.monotonic() + seconds
    connection.settimeout(0.1)
    for index in range(len(data)):
        try:
            connection.sendall(data[index : index + 1])
            if connection.recv(4096) == b"":
                return True
        except TimeoutError:
            pass
        except (ConnectionError, ssl.SSLError):
            return True
        if time.monotonic() > deadline:
            break
    return False


def test_a_tls_hello_sent_byte_by_byte_is_cut_off(limited):
    with plain(limited.hub_port) as connection:
        assert drip(connection, client_hello(), 15)


def test_a_request_head_sent_byte_by_byte_is_cut_off(limited):
    with tls_connect(limited.hub_port, limited.ca_file) as connection:
        assert drip(connection, b"GET / HTTP/1.1\r\nHost: hub\r\n" + b"X: y\r\n" * 100, 15)


def test_an_mqtt_connect_sent_byte_by_byte_is_cut_off(limited):
    with tls_connect(limited.mqtt_port, limited.ca_file) as connection:
        assert drip(connection, mqtt_connect("x" * 100, "y" * 100, "z" * 100), 15)


def test_a_connection_without_a_request_is_closed_after_a_while(limited):
    with tls_connect(limited.hub_port, limited.ca_file) as connection:
        begin = time.monotonic()
        assert closed(connection)
        assert 1 < time.monotonic() - begin < 15


def test_a_hundred_idle_connections_do_not_keep_others_out(rig):
    with contextlib.ExitStack() as stack:
        for _ in range(30 if SANITIZED else 100):
            stack.enter_context(plain(rig.hub_port))
        assert rig.echo()
