"""A client of TLS 1.3 that makes its own records: Python's ssl makes the handshake, its key log tells the keys."""
import contextlib
import hashlib
import hmac
import socket
import ssl
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

ALERT, HANDSHAKE, DATA = 21, 22, 23
SUITES = {
    "TLS_AES_128_GCM_SHA256": (AESGCM, 16, hashlib.sha256),
    "TLS_AES_256_GCM_SHA384": (AESGCM, 32, hashlib.sha384),
    "TLS_CHACHA20_POLY1305_SHA256": (ChaCha20Poly1305, 32, hashlib.sha256),
}


class Keys:
    """One direction (RFC 8446 section 7.3)."""

    def __init__(self, suite, secret):
        self.cipher, self.key_size, self.hash = SUITES[suite]
        self.secret = secret
        self.derive()

    def label(self, label, size):
        info = struct.pack(">HB", size, 6 + len(label)) + b"tls13 " + label + b"\0\1"
        return hmac.new(self.secret, info, self.hash).digest()[:size]

    def derive(self):
        self.aead, self.iv, self.sequence = self.cipher(self.label(b"key", self.key_size)), self.label(b"iv", 12), 0

    def update(self):
        self.secret = self.label(b"traffic upd", len(self.secret))
        self.derive()

    def nonce(self):
        number = self.sequence.to_bytes(12, "big")
        self.sequence += 1
        return bytes(a ^ b for a, b in zip(self.iv, number))


class RecordClient:
    """Behind its handshake: seal() makes a record, send() sends bytes, receive() opens what the server says."""

    def __init__(self, port, ca_file, key_log, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), 30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = ssl.create_default_context(cafile=str(ca_file))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.keylog_filename = str(key_log)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        handshake = context.wrap_bio(incoming, outgoing, server_hostname=host)
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                handshake.do_handshake()
                break
            self.socket.sendall(outgoing.read())
            incoming.write(self.socket.recv(65536))
        self.socket.sendall(outgoing.read())
        lines = [line.split() for line in open(key_log) if "TRAFFIC_SECRET_0" in line]
        secrets = {line[0]: bytes.fromhex(line[2]) for line in lines}
        suite = handshake.cipher()[0]
        self.writing = Keys(suite, secrets["CLIENT_TRAFFIC_SECRET_0"])
        self.reading = Keys(suite, secrets["SERVER_TRAFFIC_SECRET_0"])
        self.received = incoming.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def seal(self, kind, content, padding=0, outer=23):
        inner = content + bytes([kind]) + bytes(padding)
        header = struct.pack(">BHH", outer, 0x0303, len(inner) + 16)
        return header + self.writing.aead.encrypt(self.writing.nonce(), inner, header)

    def key_update(self, request, cuts=(), padding=0):
        """In pieces that end at these places of its five bytes."""
        message = bytes([24, 0, 0, 1, request])
        ends = [0, *cuts, 5]
        sealed = b"".join(self.seal(HANDSHAKE, message[a:b], padding) for a, b in zip(ends, ends[1:]))
        self.writing.update()
        return sealed

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """(kind, content) of the next record; None at the end, however the connection ended."""
        try:
            while len(self.received) < 5 or len(self.received) < 5 + int.from_bytes(self.received[3:5], "big"):
                data = self.socket.recv(65536)
                if not data:
                    return None
                self.received += data
        except ConnectionError:
            return None
        size = 5 + int.from_bytes(self.received[3:5], "big")
        record, self.received = self.received[:size], self.received[size:]
        try:
            inner = self.reading.aead.decrypt(self.reading.nonce(), record[5:], record[:5]).rstrip(b"\0")
        except InvalidTag:
            raise AssertionError("the server's record does not open with its keys") from None
        if inner[-1] == HANDSHAKE and inner[0] == 24:
            self.reading.update()
        return inner[-1], inner[:-1]
