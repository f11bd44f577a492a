"""Messages as trees of bytes, so that a change keeps lengths, masks and prefixes right around it, or breaks one of them
and nothing else."""
import copy
import struct

LARGEST = 256 * 1024 + 1000  # no message becomes longer; the hub takes MQTT packets up to 256 KiB
MOST_PARTS = 2000
INTERESTING = [
    b"",
    b"\0",
    b"\xff",
    b"\x7f\xff",
    b"\x80\0",
    b"\xff" * 4,
    b"\xff" * 8,
    b"\x80" + b"\0" * 7,
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b" ",
    b"\t",
    b"%00",
    b"%zz",
    b"%2F..%2F",
    b"0",
    b"-1",
    b"4294967296",
    b"1e999",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"+/#",
    b"$iothub/",
    b"&$rid=",
    b"?",
    b"a" * 129,
    b"chunked",
    b"close",
    b"websocket",
    b"\x88\x82\0\0\0\0\x03\xe8",
    b"\x10\xff\xff\xff\x7f",
]


class Node:
    """Some bytes and nodes in a row."""

    def __init__(self, *parts):
        self.parts = list(parts)

    def encode(self):
        body = bytearray()
        for part in self.parts:
            body += part if isinstance(part, bytes) else part.encode()
            if len(body) > LARGEST:
                break
        return self.wrap(bytes(body[:LARGEST]))

    def wrap(self, body):
        return body

    def damage(self, rng):
        """Breaks what stands around the parts; here there is nothing, so their order."""
        rng.shuffle(self.parts)


class Text(Node):
    """An MQTT string: two bytes of length in front."""

    error = 0

    def wrap(self, body):
        return struct.pack(">H", (len(body) + self.error) & 0xFFFF) + body

    def damage(self, rng):
        self.error = rng.choice([-1, 1, 255, 0xFFFF, rng.randrange(1 << 16)])


class Packet(Node):
    """An MQTT packet: its first byte, and its length in up to four bytes."""

    def __init__(self, first, *parts):
        super().__init__(*parts)
        self.first, self.error, self.padding = first, 0, 0

    def wrap(self, body):
        length, digits = max(0, len(body) + self.error), []
        while not digits or length:
            digits.append(length & 0x7F | 0x80)
            length >>= 7
        digits += [0x80] * self.padding
        digits[-1] &= 0x7F
        return bytes([self.first, *digits]) + body

    def damage(self, rng):
        if rng.random() < 0.4:
            self.first = rng.choice([self.first ^ 1 << rng.randrange(8), rng.randrange(256)])
        elif rng.random() < 0.7:
            self.error = rng.choice([-2, -1, 1, 2, 1 << 14, 1 << 21, (1 << 28) - 1, rng.randrange(1 << 10)])
        else:
            self.padding = rng.randrange(1, 6)


class Frame(Node):
    """A WebSocket frame of a client."""

    def __init__(self, first, *parts):
        super().__init__(*parts)
        self.first, self.key, self.form, self.error = first, b"\x37\xfa\x21\x3d", 0, 0

    def wrap(self, body):
        length = max(0, len(body) + self.error)
        form = max(self.form, 0 if length < 126 else 2 if length < 65536 else 8)
        start = {0: bytes([length & 0x7F]), 2: b"\x7e", 8: b"\x7f"}[form]
        size = {0: b"", 2: struct.pack(">H", length & 0xFFFF), 8: struct.pack(">Q", length & (1 << 64) - 1)}[form]
        masked = bytes([start[0] | (0x80 if self.key else 0)]) + size + self.key
        if self.key and self.key != b"\0\0\0\0":
            whole = int.from_bytes(body, "big") ^ int.from_bytes((self.key * (len(body) // 4 + 1))[: len(body)], "big")
            body = whole.to_bytes(len(body), "big")
        return bytes([self.first]) + masked + body

    def damage(self, rng):
        way = rng.randrange(4)
        if way == 0:
            self.first = rng.choice([self.first ^ 1 << rng.randrange(8), rng.randrange(256)])
        elif way == 1:
            self.key = rng.choice([b"", b"\0\0\0\0"])
        elif way == 2:
            self.form = rng.choice([2, 8])
        else:
            self.error = rng.choice([-1, 1, 126, 1 << 16, (1 << 63) - 1, 1 << 63, rng.randrange(1 << 12)])


def places(node):
    """(parent, index) of everything below a node."""
    found = [(node, index) for index in range(len(node.parts))]
    for part in node.parts:
        if isinstance(part, Node):
            found += places(part)
    return found


def mutate(root, rng, spare=(), changes=None):
    """Changes a tree in place, a few times; `spare` are pieces that may be put in."""
    for _ in range(rng.choice([0, 1, 1, 1, 2, 2, 3, 5, 8]) if changes is None else changes):
        where = places(root)
        if not where or len(where) > MOST_PARTS:
            return root
        parent, index = rng.choice(where)
        change_one(parent, index, rng, where, spare)
    return root


def change_one(parent, index, rng, where, spare):
    part = parent.parts[index]
    way = rng.randrange(9)
    if way == 0:
        del parent.parts[index]
    elif way == 1:
        parent.parts.insert(index, copy.deepcopy(part))
    elif way == 2:
        parent.parts[index:index] = [part] * rng.choice([2, 10, 100, 1000])
    elif way == 3:
        other = rng.randrange(len(parent.parts))
        parent.parts[index], parent.parts[other] = parent.parts[other], part
    elif way == 4:
        source, place = rng.choice(where)
        parent.parts[index] = copy.deepcopy(source.parts[place])
    elif way == 5:
        parent.parts.insert(index, rng.choice(spare) if spare and rng.random() < 0.5 else rng.choice(INTERESTING))
    elif isinstance(part, bytes):
        parent.parts[index] = change_bytes(part, rng)
    else:
        part.damage(rng)


def change_bytes(text, rng):
    begin = rng.randrange(len(text) + 1)
    end = min(len(text), begin + rng.choice([0, 1, 1, 2, 4, 16]))
    way = rng.randrange(6)
    if way == 0 and text:
        place = rng.randrange(len(text))
        return text[:place] + bytes([text[place] ^ 1 << rng.randrange(8)]) + text[place + 1 :]
    if way == 1:
        return text[:begin] + rng.randbytes(rng.choice([1, 2, 4, 30])) + text[end:]
    if way == 2:
        return text[:begin] + text[end:]
    if way == 3:
        return text[:begin]
    if way == 4:
        return text[:begin] + text[begin:end] * rng.choice([2, 50, 5000]) + text[end:]
    return text[:begin] + rng.choice(INTERESTING) + text[end:]
