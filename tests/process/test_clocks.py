"""Clocks that jump by a day: what runs goes on, and what is refused says which clock is off."""
import pathlib
import socket

import pytest
from tests.harness.device_certificates import device_with_certificate, make_certificate
from tests.harness.programs import is_listening, run, wait_until
from tests.harness.rig import DEVICE, Rig

pytestmark = pytest.mark.no_sanitizer  # sanitizers do not get on with a preloaded library

DAY = 86_400
YEAR = 365 * DAY


class ClockRig(Rig):
    """Every program has a wall clock that the test can set; the steady clock stays as it is."""

    def __init__(self, directory, **options):
        super().__init__(directory, **options)
        for program in self.programs():
            self.give_clock(program)

    def give_clock(self, program):
        library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        self.set_clock(program, 0)
        program.environment |= {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self.clock_file(program)),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }

    def reboot(self, program, ahead):
        """The program again, on a machine whose clock starts at another time; returns where its new output begins."""
        program.stop()
        mark = program.mark()
        self.set_clock(program, ahead)
        program.start()
        return mark

    def clock_file(self, program):
        return self.directory / f"{program.name}.clock"

    def set_clock(self, program, ahead):
        self.clock_file(program).write_text(f"{ahead:+d}\n")


@pytest.fixture
def clock_rig(tmp_path, request):
    rig = ClockRig(tmp_path / "rig", **getattr(request, "param", {}))
    try:
        yield rig.start()
    finally:
        rig.finish()


over_both_transports = pytest.mark.parametrize(
    "clock_rig", [{"mqtt_transport": False}, {"mqtt_transport": True}], indirect=True, ids=["ws", "mqtt"]
)


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
    clock_rig.service.wait_for(r"DS-219 .*the hub's clock is 8\d{4} s ahead of this machine's", service_mark)
    clock_rig.hub.wait_for(r"the token has expired 8\d{4} s ago by this hub's clock", hub_mark)

    device_mark = clock_rig.reboot(clock_rig.device, 0)
    clock_rig.device.wait_for(r"DS-219 .*the hub's clock is 8\d{4} s ahead of this machine's", device_mark)

    clock_rig.set_clock(clock_rig.hub, 0)
    clock_rig.wait_online(DEVICE)
    wait_until(clock_rig.echo, "streams to work again")


def test_a_device_whose_clock_was_behind_mints_a_new_token_once_it_is_right(clock_rig):
    mark = clock_rig.reboot(clock_rig.device, -DAY)
    clock_rig.device.wait_for(r"DS-219 .*the hub's clock is 8\d{4} s ahead of this machine's", mark)
    clock_rig.set_clock(clock_rig.device, 0)
    clock_rig.wait_online(DEVICE)
    assert clock_rig.echo()


def wait_for_tries(rig, count, mark):
    """The hub sees each one, as it ends in TLS."""
    wait_until(
        lambda: rig.hub.output()[mark:].count("DS-605") >= count,
        f"{count} tries; the hub's log:\n{rig.hub.output()[mark:]}",
    )


def dates_in_ds_219(program, mark):
    """The years in which a certificate becomes valid, and in which the program thinks it lives."""
    told = program.wait_for(
        r"DS-219 this machine's clock is behind: the certificate of 127\.0\.0\.1 is valid from (\d{4})-\S+Z, "
        r"and by this clock it is (\d{4})-\S+Z\. Probably it is not set yet",
        mark,
    )
    return int(told[1]), int(told[2])


@over_both_transports
@pytest.mark.parametrize("years", [6, 56])
def test_a_device_whose_clock_is_not_set_at_boot_says_so_once_and_gets_in_when_it_is(clock_rig, years):
    hub_mark = clock_rig.hub.mark()
    mark = clock_rig.reboot(clock_rig.device, -years * YEAR)
    valid, now = dates_in_ds_219(clock_rig.device, mark)
    assert years - 1 <= valid - now <= years + 1
    wait_for_tries(clock_rig, 4, hub_mark)
    assert clock_rig.device.output()[mark:].count("DS-") == 1
    clock_rig.set_clock(clock_rig.device, 0)
    clock_rig.wait_online(DEVICE)
    assert clock_rig.echo()
    assert run(clock_rig.ssh("echo", "hello")).stdout == "hello\n"


def test_a_device_with_a_certificate_of_its_own_says_it_once_too(clock_rig, tmp_path):
    thumbprint = make_certificate(tmp_path, "device")
    credential = clock_rig.admin("device", "add", "pump-x509", "--x509-thumbprint", thumbprint)
    device = device_with_certificate(clock_rig, tmp_path, credential, name="device-proxy-x509")
    clock_rig.give_clock(device)
    clock_rig.extra_programs.append(device)
    hub_mark, mark = clock_rig.hub.mark(), clock_rig.reboot(device, -6 * YEAR)
    dates_in_ds_219(device, mark)
    wait_for_tries(clock_rig, 4, hub_mark)
    assert device.output().count("DS-") == 1
    clock_rig.set_clock(device, 0)
    clock_rig.wait_online("pump-x509")


@pytest.mark.parametrize("clock_rig", [{"mqtt_transport": True}], indirect=True)
def test_a_refused_token_is_told_with_the_date_where_the_hub_does_not_say_its_own(clock_rig):
    """The hub's certificate is good a day ago, and there is no Date in MQTT."""
    mark = clock_rig.reboot(clock_rig.device, -DAY)
    clock_rig.device.wait_for(r"DS-207 .*CONNACK 5\); by this machine's clock it is \d{4}-\S+Z", mark)
    clock_rig.set_clock(clock_rig.device, 0)
    clock_rig.wait_online(DEVICE)
    assert clock_rig.echo()


def test_service_proxy_says_that_its_clock_is_not_set_and_works_when_it_is(clock_rig):
    mark = clock_rig.reboot(clock_rig.service, -6 * YEAR)
    wait_until(lambda: is_listening(clock_rig.forward_ports["echo"]), "service-proxy to listen")
    with pytest.raises((ConnectionError, AssertionError)):
        assert clock_rig.echo()
    dates_in_ds_219(clock_rig.service, mark)
    stdio = [*clock_rig.service.argv, "--stdio", f"{DEVICE}/echo"]
    failed = run(stdio, check=False, env=clock_rig.service.environment)
    assert failed.returncode == 75 and "DS-219" in failed.stderr
    clock_rig.set_clock(clock_rig.service, 0)
    assert clock_rig.echo()
