"""Stopping with streams running, crashes of each program, and what comes back by itself."""
import contextlib
import signal
import socket
import subprocess
import time

import pytest
from tests.harness.programs import run, wait_until
from tests.harness.wire import read_until_closed


class Session:
    """An ssh session that is up, with a command that answers each line."""

    def __init__(self, rig):
        self.process = subprocess.Popen(
            rig.ssh("cat"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.works()

    def works(self, word="ping"):
        try:
            self.process.stdin.write(word + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return False
        return self.process.stdout.readline() == word + "\n"

    def end(self):
        out, _ = self.process.communicate(timeout=30)
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


@pytest.mark.parametrize("name", ["hub", "device", "service"])
def test_a_stopping_program_lets_a_running_session_end_by_itself(own_rig, name):
    program = getattr(own_rig, name)
    with Session(own_rig) as session:
        program.signal(signal.SIGTERM)
        program.wait_for("stopping: ")
        assert program.is_alive(), "it must wait for its stream"
        assert session.works("still here")
        with pytest.raises((ConnectionError, AssertionError, TimeoutError)):
            assert own_rig.echo(), "no new streams while stopping"
        assert session.end() == 0
    assert program.wait() == 0


@pytest.mark.parametrize("name", ["hub", "device", "service"])
def test_a_second_signal_ends_running_streams_at_once(own_rig, name):
    program = getattr(own_rig, name)
    with Session(own_rig) as session:
        program.signal(signal.SIGTERM)
        program.wait_for("stopping: ")
        begin = time.monotonic()
        program.signal(signal.SIGTERM)
        assert program.wait() == 0
        assert time.monotonic() - begin < 10
        session.process.wait(30)
        assert session.process.returncode != 0, "a cut session must not look like a clean end"


def test_hand_over_keeps_running_sessions_and_frees_the_port(own_rig):
    """An upgrade: the old program keeps its streams, the new one takes the port."""
    with Session(own_rig) as session:
        old = own_rig.service
        old.signal(signal.SIGUSR2)
        old_process, old.process = old.process, None
        try:
            wait_until(lambda: "stopped listening" in old.output() or _refused(own_rig), "the port to be free")
            old.start()
            own_rig.wait_ready()
            assert own_rig.echo()
            assert session.works("over the old one")
            assert session.end() == 0
            assert old_process.wait(30) == 0
        finally:
            old_process.kill()
            old_process.wait()


def test_a_device_proxy_that_was_handed_over_is_no_second_machine(own_rig):
    """It leaves the hub before its successor comes."""
    with Session(own_rig) as session:
        old = own_rig.device
        old.signal(signal.SIGUSR2)
        old.wait_for("handing over")
        old_process, old.process = old.process, None
        try:
            old.start()
            own_rig.wait_online()
            assert own_rig.echo()
            assert session.works("over the old one")
        finally:
            old_process.kill()
            old_process.wait()
    assert "DS-606" not in own_rig.hub.output()


def _refused(rig):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", rig.forward_ports["echo"]))
            return True
        except OSError:
            return False


def expect_reset(client):
    client.settimeout(30)
    with pytest.raises(ConnectionResetError):
        assert client.recv(1) != b"", "a lost leg must not look like a clean end"


def test_device_proxy_comes_back_after_a_crash(own_rig):
    with own_rig.running_stream() as client:
        own_rig.device.kill()
        expect_reset(client)
    own_rig.device.start()
    own_rig.wait_online()
    assert own_rig.echo()


def test_service_proxy_comes_back_after_a_crash(own_rig):
    with own_rig.running_stream():
        own_rig.service.kill()
        wait_until(lambda: " echo." not in own_rig.admin("streams", "list"), "the hub to notice")
    own_rig.service.start()
    own_rig.wait_ready()
    assert own_rig.echo()


def test_the_hub_comes_back_after_a_crash_with_its_devices(own_rig):
    with own_rig.running_stream() as client:
        own_rig.hub.kill()
        expect_reset(client)
    mark = own_rig.service.mark()
    # While there is no hub; the reset may come before the connection is known to be up.
    with contextlib.suppress(ConnectionResetError), own_rig.connect("echo") as client:
        assert read_until_closed(client) == b""
    own_rig.service.wait_for("DS-201", mark)
    own_rig.start_hub()
    own_rig.wait_online()
    assert own_rig.echo()


def test_a_device_that_comes_late_gets_the_stream(own_rig):
    own_rig.device.stop()
    wait_until(lambda: not own_rig.is_online(), "the hub to see it leave")
    with own_rig.connect("echo") as client:
        client.sendall(b"early")
        own_rig.device.start()
        client.settimeout(30)
        assert client.recv(10) == b"early"


def test_running_streams_outlive_the_control_link(own_rig):
    """A new link of the same identity drops the old one; the bridge is another connection."""
    with Session(own_rig) as session:
        second = own_rig.device.__class__("device-proxy-twin", own_rig.device.argv, own_rig.directory)
        own_rig.extra_programs.append(second)
        second.start()
        own_rig.hub.wait_for('"new_peer":"127.0.0.1:.*DS-606')
        assert session.works("after the takeover")


def test_a_full_restart_loses_nothing_that_was_configured(own_rig):
    for program in (own_rig.service, own_rig.device, own_rig.hub):
        assert program.stop() == 0
    own_rig.start_hub()
    own_rig.device.start()
    own_rig.service.start()
    own_rig.wait_ready()
    assert run(own_rig.ssh("echo back")).stdout == "back\n"
