"""What a well-behaved client says at each entry point of the hub, as trees for mutation: one node for each message."""
import pathlib
import urllib.parse

from .tree import Frame, Node, Packet, Text

CORPUS = pathlib.Path(__file__).resolve().parents[1] / "corpus"
CORPORA = {
    "https": ("http_head_fuzz", "sas_fuzz", "topic_fuzz"),
    "mqtt-ws": ("mqtt_fuzz", "ws_frame_fuzz"),
    "mqtt": ("mqtt_fuzz", "topic_fuzz", "sas_fuzz"),
    "leg": ("ws_frame_fuzz",),
}
ENTRY_POINTS = tuple(CORPORA)
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
DIRECT = {"Connection": "Upgrade", "Upgrade": "device-stream"}
FEATURES = {"iothub-streaming-features": "half-close,big-frames,pings"}


def spare_parts(entry_point):
    """The inputs that libFuzzer's targets start from; most begin with a byte or a few for the target itself."""
    files = [file.read_bytes() for name in CORPORA[entry_point] for file in sorted((CORPUS / name).iterdir())]
    return files + [content[1:] for content in files]


# --- HTTP


def request(method, target, fields, body=b""):
    segments = [part for piece in target.encode().split(b"/")[1:] for part in (b"/", piece)]
    lines = [Node(name.encode(), b": ", str(value).encode(), b"\r\n") for name, value in fields.items()]
    return Node(Node(method.encode(), b" ", Node(*segments), b" HTTP/1.1", b"\r\n"), *lines, b"\r\n", body)


def stream_request(rng, facts, device, **more):
    fields = {
        "Host": "hub",
        "Authorization": facts.service_token(),
        "Content-Length": 0,
        "iothub-streaming-connect-timeout-in-seconds": rng.choice(["0", "0.1", "1"]),
        "iothub-streaming-response-timeout-in-seconds": rng.choice(["1", "2.5"]),
        **more,
    }
    name = f"echo.{rng.randrange(1 << 32):08x}"
    return request("POST", f"/twins/{device}/streams/{name}?api-version=2020-09-30", fields)


def registry_request(rng, facts):
    fields = {"Host": "hub", "Authorization": facts.service_token(), "Content-Type": "application/json"}
    body = b'{"deviceId":"pump-18","status":"enabled","authentication":{"type":"sas","symmetricKey":{"primaryKey":""}}}'
    fields |= rng.choice([{"If-Match": '"*"'}, {"Expect": "100-continue"}, {}])
    if rng.random() < 0.5:
        half = len(body) // 2
        chunks = Node(
            f"{half:x}".encode(),
            b"\r\n",
            body[:half],
            b"\r\n",
            f"{len(body) - half:x}".encode(),
            b";a=b",
            b"\r\n",
            body[half:],
            b"\r\n",
            b"0",
            b"\r\n",
            b"A: b\r\n",
            b"\r\n",
        )
        return request(
            "PUT", "/devices/pump-18?api-version=2020-09-30", {**fields, "Transfer-Encoding": "chunked"}, chunks
        )
    method = rng.choice(["GET", "PUT", "PATCH", "DELETE", "POST"])
    return request(method, "/devices/pump-18?api-version=2020-09-30", {**fields, "Content-Length": len(body)}, body)


def leg_upgrade(ticket):
    path, token = ticket
    return request("GET", path, {"Host": "hub", "Authorization": f"Bearer {token}", **UPGRADE})


def https(rng, facts):
    kinds = [
        lambda: stream_request(rng, facts, facts.offline),
        lambda: stream_request(rng, facts, facts.online),
        lambda: stream_request(rng, facts, facts.online, **FEATURES, **rng.choice([{}, DIRECT])),
        lambda: registry_request(rng, facts),
        lambda: leg_upgrade(rng.choice(facts.tickets(rng.random() < 0.5))),
        lambda: request("GET", "/", {"Host": "hub"}),
    ]
    return Node(*(rng.choice(kinds)() for _ in range(rng.choice([1, 1, 2, 4]))), *frames(rng)[: rng.choice([0, 0, 3])])


# --- MQTT


def login(facts, device):
    user = f"127.0.0.1/{device}/?api-version=2020-09-30&DeviceClientType=" + urllib.parse.quote(
        "proxy/1 (features=half-close,pings)", safe=""
    )
    return Packet(
        0x10,
        Text(b"MQTT"),
        b"\x04",
        b"\xc0",
        b"\0\x3c",
        Text(device.encode()),
        Text(user.encode()),
        Text(facts.device_token(device).encode()),
    )


def packets(rng, facts):
    streams = Packet(0x82, b"\0\2", Text(b"$iothub/streams/POST/#"), b"\0", Text(b"$iothub/streams/res/#"), b"\0")
    answer = Packet(0x30, Text(b"$iothub/streams/res/", b"200", b"/?$rid=", b"%x" % rng.randrange(64)))
    telemetry = Packet(0x32, Text(b"devices/", b"x", b"/messages/events/"), b"\0\7", b"payload")
    leaving = Packet(0xA2, b"\0\3", Text(b"$iothub/streams/POST/#"))
    more = [streams, answer, telemetry, leaving, Packet(0xC0), Packet(0x40, b"\0\1")]
    rng.shuffle(more)
    return [login(facts, rng.choice(facts.devices)), *more, Packet(0xE0)]


def mqtt(rng, facts):
    return Node(*packets(rng, facts))


def mqtt_ws(rng, facts):
    opening = request("GET", "/$iothub/websocket", {"Host": "hub", **UPGRADE, "Sec-WebSocket-Protocol": "MQTT"})
    framed = [Frame(0x82, packet) for packet in packets(rng, facts)]
    if rng.random() < 0.3:
        framed = [Frame(0x82, Node(*packets(rng, facts)))]
    control = [Frame(0x89, b"ping"), Frame(0x8A), Frame(0x88, b"\x03\xe8", b"bye")]
    return Node(opening, framed[0], *rng.sample(control[:2], 1), *framed[1:], control[2])


# --- the legs of a stream, behind their upgrade


def frames(rng):
    payload = rng.randbytes(rng.choice([1, 125, 126, 5000, 65535, 65536, 200_000]))
    kinds = [
        [Frame(0x82, payload)],
        [Frame(0x02, b"begin"), Frame(0x00, b"middle"), Frame(0x89, b"between"), Frame(0x80, b"end")],
        [Frame(0x81, "tëxt".encode())],
        [Frame(0x82)],
        [Frame(0x82)] * 70,
        [Frame(0x89, b"x" * 125)],
        [Frame(0x8A)],
        [Frame(0x82, b"a"), Frame(0x82, b"b")],
    ]
    said = [frame for _ in range(rng.randrange(1, 5)) for frame in rng.choice(kinds)]
    return said + rng.choice([[], [Frame(0x88, b"\x03\xe8")], [Frame(0x88)], [Frame(0x82), Frame(0x88, b"\x0f\xa1")]])


def leg(rng, _facts):
    return Node(*frames(rng))


MAKERS = {"https": https, "mqtt-ws": mqtt_ws, "mqtt": mqtt, "leg": leg}
