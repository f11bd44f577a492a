"""Raw clients, written from the protocol and independent of the programs under test."""
import base64
import contextlib
import hashlib
import hmac
import os
import socket
import ssl
import struct
import time
import urllib.parse


def parse_connection_string(text):
    return dict(field.split("=", 1) for field in text.strip().split(";"))


def sas_token(resource, key, lifetime=3600, policy=None):
    encoded = urllib.parse.quote(resource, safe="")
    expiry = str(int(time.time()) + lifetime)
    digest = hmac.new(base64.b64decode(key), f"{encoded}\n{expiry}".encode(), hashlib.sha256).digest()
    signature = urllib.parse.quote(base64.b64encode(digest).decode(), safe="")
    token = f"SharedAccessSignature sr={encoded}&sig={signature}&se={expiry}"
    return f"{token}&skn={policy}" if policy else token


def service_token(connection_string, lifetime=3600):
    fields = parse_connection_string(connection_string)
    return sas_token(fields["HostName"], fields["SharedAccessKey"], lifetime, fields["SharedAccessKeyName"])


def device_token(connection_string, lifetime=3600):
    fields = parse_connection_string(connection_string)
    return sas_token(f"{fields['HostName']}/devices/{fields['DeviceId']}", fields["SharedAccessKey"], lifetime)


def tls_connect(port, ca_file, host="127.0.0.1", timeout=20, alpn=None):
    context = ssl.create_default_context(cafile=str(ca_file))
    raw = socket.create_connection((host, port), timeout)
    try:
        return context.wrap_socket(raw, server_hostname=host)
    except BaseException:
        raw.close()
        raise


def is_let_go(port):
    """True when a client's connection ends without a byte, which may be while it still connects."""
    try:
        with socket.create_connection(("127.0.0.1", port), 30) as client:
            with contextlib.suppress(ConnectionError):
                client.sendall(b"anybody there?")
            return read_until_closed(client) == b""
    except ConnectionResetError:
        return True


def read_until_closed(connection, limit=1 << 20):
    """All bytes up to the end, however the peer ends it; fails (socket.timeout) when it does not."""
    received = b""
    try:
        while len(received) < limit and (data := connection.recv(65536)):
            received += data
    except (ConnectionError, ssl.SSLError) as ending:
        if isinstance(ending, TimeoutError):
            raise
    return received


# --- HTTP


def read_http_head(connection):
    """(status, headers with lower-case names, bytes behind the head)"""
    received = b""
    while b"\r\n\r\n" not in received:
        data = connection.recv(65536)
        assert data, f"ended within the head: {received!r}"
        received += data
    head, rest = received.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
    return int(lines[0].split()[1]), headers, rest


def http_request(connection, method, path, headers=(), body=b""):
    """One exchange; returns (status, headers, body)."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: hub",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in dict(headers).items()),
    ]
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    status, answer_headers, rest = read_http_head(connection)
    while len(rest) < int(answer_headers.get("content-length", 0)):
        rest += connection.recv(65536)
    return status, answer_headers, rest


# --- MQTT 3.1.1


def mqtt_string(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return struct.pack(">H", len(raw)) + raw


def mqtt_packet(first_byte, body):
    length, encoded = len(body), b""
    while True:
        length, digit = divmod(length, 128)
        encoded += bytes([digit | (0x80 if length else 0)])
        if not length:
            return bytes([first_byte]) + encoded + body


def mqtt_connect(client_id, user_name, password, keep_alive=60):
    body = mqtt_string("MQTT") + bytes([4, 0xC0]) + struct.pack(">H", keep_alive)
    return mqtt_packet(0x10, body + mqtt_string(client_id) + mqtt_string(user_name) + mqtt_string(password))


def mqtt_login(connection_string, client_type=None):
    """The CONNECT packet of a device."""
    fields = parse_connection_string(connection_string)
    user = f"{fields['HostName']}/{fields['DeviceId']}/?api-version=2020-09-30"
    if client_type:
        user += "&DeviceClientType=" + urllib.parse.quote(client_type, safe="")
    return mqtt_connect(fields["DeviceId"], user, device_token(connection_string))


def mqtt_subscribe(*filters, packet_id=2):
    body = struct.pack(">H", packet_id) + b"".join(mqtt_string(topic) + b"\0" for topic in filters)
    return mqtt_packet(0x82, body)


def read_exactly(connection, count):
    received = b""
    while len(received) < count:
        data = connection.recv(count - len(received))
        assert data, f"ended after {len(received)} of {count} bytes"
        received += data
    return received


def read_mqtt(connection):
    """One packet: (first byte, body)."""
    first, length, shift = read_exactly(connection, 1)[0], 0, 0
    while True:
        digit = read_exactly(connection, 1)[0]
        length |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            return first, read_exactly(connection, length)


# --- WebSocket


def websocket_upgrade(connection, path, headers=()):
    """Sends the handshake; returns (status, headers, bytes behind the head) of the answer."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: hub",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
        *(f"{name}: {value}" for name, value in dict(headers).items()),
    ]
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
    return read_http_head(connection)


def websocket_frame(payload, opcode=2, masked=True, first_byte=None):
    length, mask_bit = len(payload), 0x80 if masked else 0
    if length < 126:
        header = bytes([mask_bit | length])
    elif length < 65536:
        header = bytes([mask_bit | 126]) + struct.pack(">H", length)
    else:
        header = bytes([mask_bit | 127]) + struct.pack(">Q", length)
    mask = os.urandom(4) if masked else b""
    data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)) if masked else payload
    return bytes([0x80 | opcode if first_byte is None else first_byte]) + header + mask + data


def read_websocket(connection):
    """One frame from a server: (opcode, payload)."""
    first, second = read_exactly(connection, 2)
    length = second & 0x7F
    if length == 126:
        length = struct.unpack(">H", read_exactly(connection, 2))[0]
    elif length == 127:
        length = struct.unpack(">Q", read_exactly(connection, 8))[0]
    return first & 0x0F, read_exactly(connection, length)
