"""Under a service manager: notifications, the watchdog, sockets that it holds, and the keeper in between."""
import contextlib
import os
import signal
import socket
import subprocess

import pytest
from tests.harness.programs import BIN, Program, wait_until

KEEPER = BIN / "service-keeper"
BEAT = 0.1  # seconds; the watchdog waits three of them


class Manager:
    """What a program sees of systemd: a socket for its notifications, and listening sockets."""

    def __init__(self, directory):
        self.path = str(directory / "notify")
        self.inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.inbox.bind(self.path)
        self.inbox.setblocking(False)
        self.heard = []

    def environment(self):
        return {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": str(int(BEAT * 3e6))}

    def run_with(self, listening, argv):
        """A command line that makes `listening` descriptor 3 of the program, for its process alone."""
        return [
            "bash",
            "-c",
            f'exec 3<&{listening.fileno()}; export LISTEN_FDS=1 LISTEN_PID=$$ WATCHDOG_PID=$$; exec "$@"',
            "bash",
            *argv,
        ]

    def has_heard(self, line, since=0):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.heard.append(self.inbox.recv(4096).decode())
        return any(line in message.split("\n") for message in self.heard[since:])

    def wait_for(self, line, since=0):
        wait_until(lambda: self.has_heard(line, since), lambda: f"{line}; heard {self.heard}")

    def close(self):
        self.inbox.close()


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path)
    yield manager
    manager.close()


@pytest.fixture
def kept(own_rig, manager):
    """own_rig, with service-proxy under a keeper and its port for `echo` in the service manager's hands."""
    own_rig.service.stop()
    with socket.create_server(("127.0.0.1", own_rig.forward_ports["echo"])) as listening:
        argv = manager.run_with(listening, [KEEPER, *own_rig.service.argv])
        service = Program(
            "kept-service-proxy", argv, own_rig.directory, manager.environment(), descriptors=[listening.fileno()]
        )
        own_rig.extra_programs.append(service)
        service.start()
        manager.wait_for("READY=1")
        yield own_rig, service
        service.stop()


def child_of(pid):
    return int(subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=True).stdout)


def is_there(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_sockets_of_the_service_manager_are_used(kept):
    rig, service = kept
    assert rig.echo()
    assert "no forward uses" not in service.output()


def test_a_hand_over_ends_the_keeper_and_loses_no_connection(kept, manager):
    rig, service = kept
    with rig.running_stream() as running:
        old = child_of(service.pid)
        service.signal(signal.SIGUSR2)
        assert service.wait() == 0
        assert is_there(old), "the program goes on with its stream"
        with rig.connect("echo") as between:  # nobody accepts at this time
            between.sendall(b"y")
            service.start()
            assert between.recv(1) == b"y"
        running.sendall(b"z")
        assert running.recv(1) == b"z"
    wait_until(lambda: not is_there(old), "the old program to end after its last stream")


def test_the_watchdog_hears_of_a_program_that_works_and_not_of_one_that_hangs(kept, manager):
    rig, service = kept
    since = len(manager.heard)
    manager.wait_for("WATCHDOG=1", since)
    program = child_of(service.pid)
    os.kill(program, signal.SIGSTOP)
    try:
        wait_until(lambda: not is_stopped_late(manager), "silence", 10)
    finally:
        os.kill(program, signal.SIGCONT)
    manager.wait_for("WATCHDOG=1", len(manager.heard))


def is_stopped_late(manager):
    """True when something was heard within ten beats."""
    manager.has_heard("WATCHDOG=1")
    since = len(manager.heard)
    try:
        wait_until(lambda: manager.has_heard("WATCHDOG=1", since), "a beat", 10 * BEAT)
        return True
    except AssertionError:
        return False


def test_a_program_whose_keeper_was_killed_makes_room_for_the_next(kept):
    rig, service = kept
    with rig.running_stream() as running:
        old = child_of(service.pid)
        service.kill()
        wait_until(lambda: "handing over" in service.output(), "the program to notice")
        service.start()
        assert rig.echo()
        running.sendall(b"z")
        assert running.recv(1) == b"z"
    wait_until(lambda: not is_there(old), "the old program to end after its last stream")


def test_reload_and_stop_reach_the_program(kept, manager):
    rig, service = kept
    service.signal(signal.SIGHUP)
    service.wait_for("configuration reloaded")
    assert manager.has_heard("RELOADING=1")
    service.signal(signal.SIGTERM)
    assert service.wait() == 0
    assert manager.has_heard("STOPPING=1")


@pytest.mark.parametrize("command, code", [("exit 7", 7), ("kill -ABRT $$", -signal.SIGABRT)], ids=["exit", "signal"])
def test_the_keeper_ends_as_its_program_does(manager, command, code):
    done = subprocess.run([KEEPER, "sh", "-c", command], env={**os.environ, **manager.environment()}, timeout=30)
    assert done.returncode == code


def test_strangers_cannot_speak_to_the_keeper(manager):
    script = (
        "import os, socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM);"
        "a = '\\0' + os.environ['NOTIFY_SOCKET'][1:];"
        "pid = os.fork();"
        "s.sendto(b'HANDED_OVER=1' if pid == 0 else b'STATUS=own', a);"
        "pid and (os.waitpid(pid, 0), os._exit(9))"
    )
    done = subprocess.run(
        [KEEPER, "/usr/bin/python3", "-c", script], env={**os.environ, **manager.environment()}, timeout=30
    )
    assert done.returncode == 9
    assert manager.has_heard("STATUS=own")


def test_without_a_service_manager_the_keeper_is_not_there():
    environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
    process = subprocess.Popen([KEEPER, "sh", "-c", "echo $$"], env=environment, stdout=subprocess.PIPE, text=True)
    assert int(process.communicate(timeout=30)[0]) == process.pid
