"""What the hub makes of a client's TLS 1.3 records, right and wrong, behind a right handshake."""
import struct

import pytest
from tests.harness.tls_records import ALERT, DATA, HANDSHAKE, RecordClient

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n"
UNEXPECTED, BAD_MAC, OVERFLOW, ILLEGAL, DECODE = 10, 20, 22, 47, 50


@pytest.fixture
def client(rig, tmp_path):
    with RecordClient(rig.hub_port, rig.ca_file, tmp_path / "keys") as made:
        yield made


def hear_answer(client):
    """The next answer to a request; the messages that came before it."""
    messages, text = [], b""
    while not text.endswith(b"ok\n"):
        record = client.receive()
        assert record and record[0] != ALERT, (record, text)
        if record[0] == DATA:
            text += record[1]
        else:
            messages.append(record[1])
    assert text.startswith(b"HTTP/1.1 200 OK\r\n"), text
    return messages


def hear_alert(client):
    """The code of the alert with which it ends; None: it ended without one."""
    code = None
    while record := client.receive():
        assert code is None, f"a record behind the alert: {record}"
        if record[0] == ALERT:
            code = record[1][1]
    return code


def data(client, text=b"x", padding=0):
    return client.seal(DATA, text, padding)


def handshake(text):
    return lambda client: client.seal(HANDSHAKE, bytes.fromhex(text))


def many(count, one):
    return lambda client: b"".join(one(client) for _ in range(count))


def header(kind, length, version=0x0303):
    return lambda client: struct.pack(">BHH", kind, version, length) + bytes(length)


def flipped(where):
    def change(client):
        sealed = bytearray(data(client, b"some text"))
        sealed[where] ^= 1
        return bytes(sealed)

    return change


def left_out(client):
    data(client)
    return data(client)


def old_keys(client):
    return client.seal(HANDSHAKE, bytes([24, 0, 0, 1, 0])) + data(client)


# What breaks the protocol, and what it is told.
REFUSED = {
    "another tag": (flipped(-1), BAD_MAC),
    "another first byte": (flipped(5), BAD_MAC),
    "a record left out": (left_out, BAD_MAC),
    "old keys behind a KeyUpdate": (old_keys, BAD_MAC),
    "no room for a tag": (header(23, 16), BAD_MAC),
    "length 0": (header(23, 0), BAD_MAC),
    "length 2^14 + 257": (header(23, 16641), OVERFLOW),
    "not encrypted data": (header(23, 2**14 + 256), BAD_MAC),
    "content 2^14 + 1": (lambda client: data(client, bytes(2**14 + 1)), OVERFLOW),
    "padding to 2^14 + 2": (lambda client: data(client, b"x", 2**14), OVERFLOW),
    "zeros only": (lambda client: client.seal(0, bytes(99)), UNEXPECTED),
    "inner type 99": (lambda client: client.seal(99, b"x"), UNEXPECTED),
    "ChangeCipherSpec inside": (lambda client: client.seal(20, b"\1"), UNEXPECTED),
    "ChangeCipherSpec": (lambda client: bytes.fromhex("140303000101"), UNEXPECTED),
    "goodbye in the clear": (lambda client: bytes.fromhex("15030300020100"), UNEXPECTED),
    "KeyUpdate in the clear": (lambda client: bytes.fromhex("16030300051800000100"), UNEXPECTED),
    "outer type handshake": (lambda client: client.seal(HANDSHAKE, b"\x18\0\0\1\0", outer=22), UNEXPECTED),
    "33 empty records": (many(33, lambda client: data(client, b"")), UNEXPECTED),
    "empty handshake": (handshake(""), UNEXPECTED),
    "data inside a KeyUpdate": (lambda client: handshake("1800")(client) + data(client), UNEXPECTED),
    "KeyUpdate 2": (handshake("1800000102"), ILLEGAL),
    "KeyUpdate of 2 bytes": (handshake("180000020000"), DECODE),
    "two KeyUpdates in a record": (handshake("18000001001800000100"), UNEXPECTED),
    "NewSessionTicket": (handshake("040000050000000000"), UNEXPECTED),
    "CertificateRequest": (handshake("0d000003000000"), UNEXPECTED),
    "ClientHello": (handshake("01000004" + "03030000"), UNEXPECTED),
    "Finished": (handshake("14000020" + "00" * 32), UNEXPECTED),
    "HelloRequest": (handshake("00000000"), UNEXPECTED),
    "empty alert": (lambda client: client.seal(ALERT, b""), UNEXPECTED),
    "alert of 1 byte": (lambda client: client.seal(ALERT, b"\2"), UNEXPECTED),
    "alert of 3 bytes": (lambda client: client.seal(ALERT, b"\1\0\0"), UNEXPECTED),
    "two alerts in a record": (lambda client: client.seal(ALERT, b"\1\0\1\0"), UNEXPECTED),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_records_are_refused_with_the_right_alert(client, name):
    wrong, alert = REFUSED[name]
    client.send(data(client, REQUEST))
    hear_answer(client)
    client.send(wrong(client))
    assert hear_alert(client) == alert


def test_an_alert_ends_it_without_an_answer(client):
    client.send(data(client, REQUEST))
    hear_answer(client)
    client.send(client.seal(ALERT, b"\2\x14"))
    assert hear_alert(client) is None


def test_a_goodbye_ends_it_without_complaint(client):
    client.send(data(client, REQUEST))
    hear_answer(client)
    client.send(client.seal(ALERT, b"\1\0"))
    assert hear_alert(client) in (0, None)


# What is allowed, however odd: the request behind it is answered.
TAKEN = {
    "32 empty records": many(32, lambda client: data(client, b"")),
    "padding of every size class": lambda client: b"".join(data(client, b"", size) for size in (1, 7, 8, 9, 255, 4096)),
    "padding up to 2^14": lambda client: data(client, b"", 2**14),
    "user_canceled": lambda client: client.seal(ALERT, b"\1\x5a"),
    "KeyUpdate in three records": lambda client: client.key_update(1, cuts=(1, 4)),
    "padded KeyUpdate": lambda client: client.key_update(1, padding=300),
    "100 KeyUpdates": many(100, lambda client: client.key_update(0)),
    "100 KeyUpdates that ask": many(100, lambda client: client.key_update(1)),
}


@pytest.mark.parametrize("name", TAKEN)
def test_odd_records_are_taken(client, name):
    client.send(data(client, REQUEST))
    hear_answer(client)
    client.send(TAKEN[name](client))
    client.send(data(client, REQUEST))
    messages = hear_answer(client)
    asked = "that ask" in name or "three" in name or "padded K" in name
    assert [message for message in messages if message[0] == 24] or not asked, "new keys were asked for"
    assert len(messages) <= 100


def test_requests_in_tiny_records_byte_by_byte(client):
    for byte in REQUEST:
        client.send(data(client, bytes([byte]), byte % 20))
    hear_answer(client)


def test_a_record_that_comes_byte_by_byte(client):
    for byte in data(client, REQUEST, 30) + client.key_update(1) + data(client, REQUEST):
        client.send(bytes([byte]))
    hear_answer(client)
    hear_answer(client)
