"""Peers that are gone without a word: no FIN, no RST, only silence. And peers that are slow, but not dead."""
import contextlib
import re
import signal
import time

import pytest
from tests.harness import namespaces
from tests.harness.ends import CLEAN, GIGABYTE, RESET
from tests.harness.laboratory import DEAD_AFTER, Laboratory
from tests.harness.programs import wait_until


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Laboratory(tmp_path_factory.mktemp("quick"), quick=True)
    try:
        yield lab.start()
    finally:
        lab.finish()


def quiet_and_busy(lab):
    """Two streams that are up: one carries nothing more, the other all that it can."""
    quiet, busy = lab.open(), lab.open()
    quiet.client.send(1000)
    quiet.server.wait_received(1000)
    for end in busy.ends():
        end.send(GIGABYTE)
    for end in busy.ends():
        end.wait_received(1_000_000)
    return quiet, busy


def check_reset(*ends):
    for end in ends:
        end.wait_over()
        assert end.saw() == RESET, end.describe()


def identifier(lab, stream):
    """What all three programs call the stream."""
    lines = rf'"stream opened"[^\n]*"stream":"([0-9a-f]{{8}})"[^\n]*:{stream.client.port}"'
    lab.service.wait_for(lines)
    return re.findall(lines, lab.service.output())[-1]


def reason(program, stream_id):
    """Why the program says that the stream ended."""
    return program.wait_for(rf'"stream ended"[^\n]*"{stream_id}"[^\n]*"reason":"([^"]*)"').group(1)


# --- silence on a leg


@pytest.mark.parametrize("ways", [("up", "down"), ("up",), ("down",)], ids="-".join)
@pytest.mark.parametrize("leg", ["service", "device"])
def test_a_leg_that_swallows_everything_is_given_up_by_all(lab, leg, ways):
    lab.begin()
    streams = quiet_and_busy(lab)
    struck = lab.legs(leg)
    for connection in struck:
        connection.swallow(*ways)
    for stream in streams:
        check_reset(*stream.ends())
        check_logs(lab, leg, ways, identifier(lab, stream))
    for connection in struck:
        connection.reset()
    wait_until(lab.works, "new streams to work")


def check_logs(lab, leg, ways, stream_id):
    """Both programs at the leg name it, and who heard nothing says so; the other one may have been told, or reset."""
    at_proxy, at_hub = reason(getattr(lab, leg), stream_id), reason(lab.hub, stream_id)
    assert "leg to the hub" in at_proxy and f"{leg} leg: " in at_hub
    assert ("DS-502 " in at_proxy and "nothing was heard" in at_proxy) == ("down" in ways), at_proxy
    assert ("leg: lost, nothing was heard" in at_hub) == ("up" in ways), at_hub


def test_a_device_whose_network_is_gone_comes_back_with_it(lab):
    """Its link to the hub is swallowed as well, and nobody tells it."""
    lab.begin()
    stream = lab.open()
    for connection in lab.networks["device"].open_connections():
        connection.swallow()
    check_reset(*stream.ends())
    wait_until(lab.works, "the device to make a new link and new streams to work")


# --- programs that stand still


@contextlib.contextmanager
def stopped(program):
    program.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        program.signal(signal.SIGCONT)


@pytest.mark.parametrize(
    "name, notice, late",
    [("hub", ("client", "server"), ()), ("service", ("server",), ("client",)), ("device", ("client",), ("server",))],
)
def test_a_program_that_stands_still_is_given_up_by_the_others(lab, name, notice, late):
    lab.begin()
    streams = quiet_and_busy(lab)
    with stopped(getattr(lab, name)):
        for stream in streams:
            check_reset(*(getattr(stream, side) for side in notice))
    for stream in streams:
        check_reset(*(getattr(stream, side) for side in late))
        if name != "hub":
            assert f"{name} leg: lost" in reason(lab.hub, identifier(lab, stream))
    wait_until(lab.works, "new streams to work")


# --- slow is not dead


@pytest.mark.release_only
def test_who_merely_does_not_read_is_not_given_up(lab):
    lab.begin()
    streams = [lab.open(), lab.open()]
    pairs = [(streams[0].client, streams[0].server), (streams[1].server, streams[1].client)]
    for reader, sender in pairs:
        reader.stop_reading()
        sender.send(GIGABYTE)
    wait_until(lambda: all(stands_still(sender) for _, sender in pairs), "all buffers on the way to be full")
    time.sleep(3 * DEAD_AFTER)  # what must not happen gets the time to happen
    for reader, sender in pairs:
        assert not reader.endings and not sender.endings, f"given up: {reader.describe()}, {sender.describe()}"
        sender.stop_sending()
        sender.fin()
        reader.start_reading()
    for reader, sender in pairs:
        reader.wait_eof()
        assert reader.received == sender.sent and reader.wrong_at is None, reader.describe()


def stands_still(end):
    sent = end.sent
    time.sleep(0.5)
    return end.sent == sent


# --- packets that vanish

HUB_ADDRESS, DEVICE_ADDRESS, NEW_ADDRESS = "10.213.7.1", "10.213.7.2", "10.213.7.3"


@contextlib.contextmanager
def two_namespaces(far_address, near_address):
    """All that a test starts is in the near one."""
    if missing := namespaces.why_not():
        pytest.skip(f"no network namespaces here: {missing}")
    with namespaces.joined(near_address, far_address) as (near, far), near.entered():
        yield near, far


class FarHub(Laboratory):
    """The hub is in a namespace of its own, and service-proxy would wait long for it."""

    hub_addresses = {}

    def __init__(self, directory, near, far):
        self.near, self.far = near, far
        super().__init__(directory, host=HUB_ADDRESS)
        self.hub.argv = far.command(*self.hub.argv)

    def write_proxy_configs(self):
        super().write_proxy_configs()
        path = self.directory / "service-proxy.yaml"
        path.write_text(path.read_text().replace("timeouts:\n", "timeouts:\n  hub: 120s\n"))

    def ports(self, state):
        """Of service-proxy's connections to the hub in this state."""
        shown = self.near.run("ss", "-Htnp", "state", state, "dport", "=", f":{self.hub_port}")
        return re.findall(rf":(\d+) .*pid={self.service.pid},", shown)


@pytest.fixture
def far_hub(tmp_path):
    with two_namespaces(HUB_ADDRESS, DEVICE_ADDRESS) as (near, far):
        lab = FarHub(tmp_path / "far", near, far)
        try:
            yield lab.start()
        finally:
            lab.finish()


@pytest.mark.parametrize("ways", [("near", "far"), ("far",)], ids="-".join)
def test_a_stream_does_not_wait_for_a_kept_connection_that_is_dead(far_hub, ways):
    """The path of the one idle connection is gone, as when a router forgets it; new connections find theirs."""
    far_hub.settled_descriptors()
    [port] = far_hub.ports("established")
    for way, match in (("near", "dport"), ("far", "sport")):
        if way in ways:
            getattr(far_hub, way).drop(f"tcp {match} {port}")
    assert far_hub.works()
    far_hub.service.wait_for("a kept connection to the hub was dead")
    assert far_hub.far.dropped()


def test_a_kept_connection_that_is_merely_slow_is_used(far_hub):
    """Its acknowledgement comes late, and no new connection comes up meanwhile."""
    far_hub.settled_descriptors()
    mark, [port] = far_hub.service.mark(), far_hub.ports("established")
    far_hub.near.drop(f"tcp dport {port}")
    far_hub.far.drop("tcp flags & (syn | ack) == syn")
    stream = far_hub.dial()
    wait_until(lambda: len(far_hub.ports("syn-sent")) == 2, "one new connection to keep, and one for the stream")
    far_hub.near.heal()
    far_hub.service.wait_for('"stream opened"', mark)
    far_hub.far.heal()
    wait_until(lambda: stream.server, "the device to open its leg")
    assert "was dead" not in far_hub.service.output()[mark:]


class FarDevice(Laboratory):
    """The device and its local service are in a namespace of their own, and all else in another one."""

    hub_addresses = {"service.cs": Laboratory.hub_addresses["service.cs"]}

    def __init__(self, directory, near, far):
        self.near, self.far = near, far
        super().__init__(directory, quick=True, host=HUB_ADDRESS)
        self.device.argv = far.command(*self.device.argv)

    def make_listener(self):
        with self.far.entered():
            return super().make_listener()


@pytest.fixture(scope="class")
def far_lab(tmp_path_factory):
    with two_namespaces(DEVICE_ADDRESS, HUB_ADDRESS) as (near, far):
        lab = FarDevice(tmp_path_factory.mktemp("far"), near, far)
        try:
            yield lab.start()
        finally:
            lab.finish()


@pytest.mark.release_only
class TestPackets:
    """With real packets nothing is acknowledged that did not arrive, so the kernel's view is another one."""

    def test_every_20th_packet_lost_changes_nothing(self, far_lab):
        for namespace in (far_lab.near, far_lab.far):
            namespace.drop("numgen inc mod 20 == 7")
        size, streams = 1_000_000, [far_lab.open() for _ in range(3)]
        for end in [end for stream in streams for end in stream.ends()]:
            end.send(size)
            end.fin()
        for end in [end for stream in streams for end in stream.ends()]:
            end.wait_over()
            assert end.saw() == CLEAN and end.received == size and end.wrong_at is None, end.describe()
        assert far_lab.near.dropped() and far_lab.far.dropped()
        self.heal(far_lab)

    @pytest.mark.parametrize("at", [("near", "far"), ("far",)], ids="-".join)
    def test_a_device_whose_packets_vanish_is_given_up_and_comes_back(self, far_lab, at):
        streams = quiet_and_busy(far_lab)
        for name in at:
            getattr(far_lab, name).drop("")
        for stream in streams:
            check_reset(*stream.ends())
            name = identifier(far_lab, stream)
            assert "leg to the hub" in reason(far_lab.device, name)
            assert "device leg: lost" in reason(far_lab.hub, name)
        self.heal(far_lab)

    @pytest.mark.parametrize("deaf", ["hub", "device"])
    def test_who_is_merely_not_heard_is_told_that_it_is_given_up(self, far_lab, deaf):
        """Packets go one way only, and who gives the leg up first is the one that still can tell the other."""
        stream = far_lab.open()
        stream.client.send(1000)
        stream.server.wait_received(1000)
        (far_lab.far if deaf == "device" else far_lab.near).drop("")
        check_reset(*stream.ends())
        name = identifier(far_lab, stream)
        told, teller = (far_lab.hub, far_lab.device) if deaf == "device" else (far_lab.device, far_lab.hub)
        assert re.search("nothing was heard|timed out", reason(teller, name))
        assert "reset by peer" in reason(told, name)
        self.heal(far_lab)

    def test_a_device_that_gets_another_address_comes_back(self, far_lab):
        streams = quiet_and_busy(far_lab)
        for verb, address in (("delete", DEVICE_ADDRESS), ("add", NEW_ADDRESS)):
            far_lab.far.run("ip", "address", verb, address + "/24", "dev", "wire")
        for stream in streams:
            check_reset(*stream.ends())
        self.heal(far_lab)

    @staticmethod
    def heal(lab):
        for namespace in (lab.near, lab.far):
            namespace.heal()
        wait_until(lab.works, "new streams to work")
