import random
import struct

import pytest

from .conversations import ENTRY_POINTS, MAKERS, spare_parts
from .tree import Frame, Node, Packet, Text, mutate


class Facts:
    """Stands in for the hub."""

    online, offline, devices = "honest", "offline", ("dev-1", "dev-2")

    def service_token(self):
        return "SharedAccessSignature sr=hub"

    def device_token(self, device):
        return f"SharedAccessSignature sr=hub%2Fdevices%2F{device}"

    def tickets(self, _extended):
        return [("/bridges/device", "device-token"), ("/bridges/service", "service-token")]


def unmasked(frame):
    """(first byte, payload) of one masked frame."""
    size = frame[1] & 0x7F
    begin = {126: 4, 127: 10}.get(size, 2)
    key, body = frame[begin : begin + 4], frame[begin + 4 :]
    return frame[0], bytes(byte ^ key[i % 4] for i, byte in enumerate(body))


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
def test_a_frame_has_the_shortest_length_and_a_mask(size):
    payload = random.Random(size).randbytes(size)
    frame = Frame(0x82, payload).encode()
    assert unmasked(frame) == (0x82, payload)
    assert frame[1] == 0x80 | (size if size < 126 else 126 if size < 65536 else 127)


@pytest.mark.parametrize(
    "size, head", [(0, b"\x30\0"), (127, b"\x30\x7f"), (128, b"\x30\x80\x01"), (16384, b"\x30\x80\x80\x01")]
)
def test_a_packet_has_its_length_in_front(size, head):
    assert Packet(0x30, b"x" * size).encode() == head + b"x" * size


def test_a_change_inside_keeps_the_lengths_around_it():
    packet = Packet(0x30, Text(b"topic"))
    packet.parts[0].parts[0] = b"a longer topic"
    assert packet.encode() == b"\x30\x10" + struct.pack(">H", 14) + b"a longer topic"


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_the_same_seed_gives_the_same_inputs_and_others_give_others(entry_point):
    def inputs(seed):
        rng = random.Random(seed)
        return [mutate(MAKERS[entry_point](rng, Facts()), rng, spare_parts(entry_point)).encode() for _ in range(20)]

    assert inputs(1) == inputs(1)
    assert len(set(inputs(1) + inputs(2))) > 25


def test_no_change_is_a_choice_too():
    rng = random.Random(1)
    good = MAKERS["mqtt"](random.Random(5), Facts()).encode()
    assert mutate(MAKERS["mqtt"](random.Random(5), Facts()), rng, changes=0).encode() == good
    assert mutate(MAKERS["mqtt"](random.Random(5), Facts()), rng, changes=5).encode() != good


def test_nothing_grows_without_bound():
    rng = random.Random(3)
    for _ in range(10):
        assert len(mutate(Node(b"x" * 1000, Frame(0x82, b"y" * 1000)), rng, changes=30).encode()) < 1 << 20
