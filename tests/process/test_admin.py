"""The administrator's command line against a running hub."""
import contextlib
import json
import os
import re
import signal
import socket

import pytest
from tests.harness.programs import BIN, run
from tests.harness.rig import DEVICE, Rig
from tests.harness.wire import read_until_closed


@pytest.fixture
def spare(rig):
    """A device that a test may change; removed afterwards."""
    connection_string = rig.add_device("spare")
    yield connection_string
    rig.admin("device", "remove", "spare", check=False)


def test_devices_are_listed_and_shown(rig, spare):
    listed = rig.admin("device", "list")
    assert DEVICE in listed and "spare" in listed
    assert json.loads(rig.admin("device", "show", "spare"))["connected"] is False
    assert json.loads(rig.admin("device", "show", DEVICE))["connected"] is True


def test_running_streams_are_listed(rig):
    with rig.running_stream():
        assert "echo." in rig.admin("streams", "list")


def test_removing_a_device_ends_its_link_and_its_streams(own_rig):
    with own_rig.running_stream() as client:
        own_rig.admin("device", "remove", DEVICE)
        client.settimeout(30)
        with pytest.raises(ConnectionResetError):
            assert client.recv(1) != b"", "a cut stream must not look like a clean end"
    own_rig.device.wait_for("DS-207")
    with contextlib.suppress(ConnectionResetError), own_rig.connect("echo") as client:  # reset as early as that
        assert read_until_closed(client) == b""
    own_rig.service.wait_for("DS-302")


def test_a_typo_in_the_configuration_does_not_lock_the_administrator_out(own_rig):
    config = own_rig.hub_directory / "stream-hub.yaml"
    text = re.sub("^key: .*", "key: $NO_SUCH_VARIABLE/hub.key", config.read_text(), flags=re.MULTILINE)
    config.write_text(text + "lisen: 0.0.0.0:1\n")
    assert DEVICE in own_rig.admin("device", "list")
    environment = {**os.environ, "STREAM_HUB_CONFIG": str(config)}
    assert DEVICE in run([BIN / "stream-hub", "device", "list"], env=environment).stdout
    checked = run([BIN / "stream-hub", "--check-config"], env=environment, check=False)
    assert checked.returncode != 0 and "lisen" in checked.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2], ids=["drain", "hand-over"])
def test_commands_reach_a_hub_that_is_stopping(own_rig, number):
    mark = own_rig.hub.mark()
    with own_rig.running_stream() as client:
        own_rig.hub.signal(number)
        own_rig.hub.wait_for("stopping: |handing over: ", mark)
        listed = own_rig.admin("streams", "list", check=False)
        assert "echo." in listed.stdout and "this hub is stopping" in listed.stderr
        own_rig.add_device("late-comer")
        assert json.loads(own_rig.admin("device", "show", "late-comer"))["connected"] is False
        own_rig.admin("device", "remove", DEVICE)
        client.settimeout(30)
        with pytest.raises(ConnectionResetError):
            assert client.recv(1) != b"", "a cut stream must not look like a clean end"
    assert own_rig.hub.wait() == 0
    assert not list(own_rig.hub_directory.rglob("*.sock"))
    assert "late-comer" in own_rig.admin("device", "list", check=False).stdout


def test_the_next_hub_has_the_commands_while_the_last_one_still_drains(own_rig):
    with own_rig.running_stream() as client:
        old = own_rig.hub
        old.signal(signal.SIGTERM)
        old_process, old.process = old.process, None
        try:
            own_rig.start_hub()
            own_rig.wait_online()
            listed = own_rig.admin("streams", "list", "--json", check=False)
            assert json.loads(listed.stdout) == [] and listed.stderr == ""
            client.sendall(b"y")
            assert client.recv(1) == b"y", "the last hub has its stream still"
            client.close()
            assert old_process.wait(30) == 0
        finally:
            old_process.kill()
            old_process.wait()
    with own_rig.running_stream():
        assert "echo." in own_rig.admin("streams", "list")


def test_commands_work_on_a_stopped_hub_too(tmp_path):
    rig = Rig(tmp_path / "rig")
    rig.init()
    rig.add_device("early-bird")
    listed = rig.admin("device", "list", check=False)
    assert listed.returncode == 69 and "early-bird" in listed.stdout
    assert "DS-608" in listed.stderr and "who is connected is not known" in listed.stderr
    rig.start_hub()
    assert "early-bird" in rig.admin("device", "list")
    rig.finish()


def test_init_leaves_what_is_there_alone(rig):
    before = {path: path.read_bytes() for path in rig.hub_directory.iterdir() if path.is_file()}
    done = run([BIN / "stream-hub", "init", rig.hub_directory], check=False)
    assert done.returncode != 0 and "DS-609" in done.stderr
    assert {path: path.read_bytes() for path in before} == before


def test_private_files_are_for_the_owner_only(rig):
    secret = [
        path
        for path in rig.hub_directory.rglob("*")
        if path.is_file() and path.suffix in {".key", ".cs", ".db", ".sqlite"}
    ]
    assert secret
    assert [path for path in secret if path.stat().st_mode & 0o077] == []
    sockets = [path for path in rig.hub_directory.rglob("*") if path.is_socket()]
    assert sockets and all(path.stat().st_mode & 0o077 == 0 for path in sockets)


def test_the_admin_socket_survives_garbage(rig):
    path = next(path for path in rig.hub_directory.rglob("*") if path.is_socket())
    for garbage in (b"\0" * 1000, b"{}\n", b"[1,2]\n", b'{"command": 7}\n', b"{" * 200_000 + b"\n", b'"x"\n'):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(15)
            client.connect(str(path))
            try:
                client.sendall(garbage)
                client.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            read_until_closed(client)
    assert DEVICE in rig.admin("device", "list")
