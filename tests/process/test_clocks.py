"""Clocks that jump by a day: what runs goes on, and what is refused says which clock is off."""
import pathlib
import socket

import pytest
from tests.harness.programs import wait_until
from tests.harness.rig import DEVICE, Rig

pytestmark = pytest.mark.no_sanitizer  # sanitizers do not get on with a preloaded library

DAY = 86_400


class ClockRig(Rig):
    """Every program has a wall clock that the test can set; the steady clock stays as it is."""

    def __init__(self, directory):
        super().__init__(directory)
        library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        for program in self.programs():
            self.set_clock(program, 0)
            program.environment |= {
                "LD_PRELOAD": str(library),
                "FAKETIME_TIMESTAMP_FILE": str(self.clock_file(program)),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "FAKETIME_DONT_RESET": "1",
            }

    def clock_file(self, program):
        return self.directory / f"{program.name}.clock"

    def set_clock(self, program, ahead):
        self.clock_file(program).write_text(f"{ahead:+d}\n")


@pytest.fixture
def clock_rig(tmp_path):
    rig = ClockRig(tmp_path / "rig")
    try:
        yield rig.start()
    finally:
        rig.finish()


def exchange(client, word):
    client.sendall(word)
    assert client.recv(100) == word


@pytest.mark.parametrize("ahead", [DAY, -DAY])
@pytest.mark.parametrize("name", ["hub", "device", "service"])
def test_running_streams_and_links_do_not_care_for_a_clock_that_jumps(clock_rig, name, ahead):
    program = getattr(clock_rig, name)
    with clock_rig.connect("echo") as client:
        exchange(client, b"before")
        clock_rig.set_clock(program, ahead)
        for round_ in range(20):
            exchange(client, b"after %d" % round_)
        assert clock_rig.is_online()
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b""
    clock_rig.set_clock(program, 0)
    assert clock_rig.echo()
    assert "device link down" not in clock_rig.hub.output()


def test_a_hub_whose_clock_is_ahead_says_how_far(clock_rig):
    """Tokens have expired by such a clock, both those of devices and those of services."""
    hub_mark, service_mark = clock_rig.hub.mark(), clock_rig.service.mark()
    clock_rig.set_clock(clock_rig.hub, DAY)
    with pytest.raises((ConnectionError, AssertionError)):
        assert clock_rig.echo()
    clock_rig.service.wait_for(r"the hub's clock is 8\d{4} s ahead of this machine's", service_mark)
    clock_rig.hub.wait_for(r"the token has expired 8\d{4} s ago by this hub's clock", hub_mark)

    device_mark = clock_rig.device.mark()
    clock_rig.device.stop()
    clock_rig.device.start()
    clock_rig.device.wait_for(r"the hub's clock is 8\d{4} s ahead of this machine's", device_mark)
    clock_rig.device.wait_for("DS-207", device_mark)

    clock_rig.set_clock(clock_rig.hub, 0)
    clock_rig.wait_online(DEVICE)
    wait_until(clock_rig.echo, "streams to work again")


def test_a_device_whose_clock_was_behind_mints_a_new_token_once_it_is_right(clock_rig):
    mark = clock_rig.device.mark()
    clock_rig.set_clock(clock_rig.device, -DAY)
    clock_rig.device.stop()
    clock_rig.device.start()
    clock_rig.device.wait_for(r"the hub's clock is 8\d{4} s ahead of this machine's", mark)
    clock_rig.set_clock(clock_rig.device, 0)
    clock_rig.wait_online(DEVICE)
    assert clock_rig.echo()
