"""Root starts the hub, and nothing of root is left in it; its memory goes to no file, and no child hears a secret."""
import os
import pathlib
import pwd
import resource
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest
from tests.harness.programs import BIN, run, wait_until
from tests.harness.rig import DEVICE, Rig
from tests.harness.secrets import find_leaks

USER = "nobody"
NO_CAPABILITY = "0000000000000000"


def status(pid):
    """Of every thread: a set of (Uid, Gid, Groups, CapEff, CapPrm, NoNewPrivs)."""
    seen = set()
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        fields = dict(line.split(":\t", 1) for line in (thread / "status").read_text().splitlines() if ":\t" in line)
        seen.add(
            tuple(" ".join(fields[key].split()) for key in ("Uid", "Gid", "Groups", "CapEff", "CapPrm", "NoNewPrivs"))
        )
    return seen


def give_to(user, folder):
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, user.pw_uid, user.pw_gid)


def low_port(host):
    """One below 1024 that is free: the hub must bind it before it has given up the right to."""
    for port in range(700, 1000):
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
                return port
            except OSError:
                continue
    raise AssertionError("no port below 1024 is free")


class OwnedByNobody(Rig):
    def __init__(self, directory):
        super().__init__(directory, host="127.0.0.1")
        self.hub_port = low_port(self.host)

    def init(self):
        super().init()
        self.set_hub_yaml(user=USER, threads=3)
        give_to(pwd.getpwnam(USER), self.hub_directory)
        return self

    def write_proxy_configs(self):
        super().write_proxy_configs()
        for name in ("device", "service"):
            config = self.directory / f"{name}-proxy.yaml"
            config.write_text(config.read_text() + f"user: {USER}\n")
            for path in (config, self.directory / f"{name}.cs"):
                os.chown(path, pwd.getpwnam(USER).pw_uid, -1)


@pytest.fixture
def owned():
    assert os.geteuid() == 0, "run the tests as root, or with sudo: only root can give its rights up"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="owned-"))  # pytest's own folders are closed to others
    os.chmod(folder, 0o755)
    rig = OwnedByNobody(folder / "rig")
    try:
        rig.init()
        (rig.directory / "public-ca.pem").write_bytes(rig.ca_file.read_bytes())
        rig.ca_file = rig.directory / "public-ca.pem"
        rig.start_hub()
        rig.device_cs = rig.add_device(DEVICE)
        rig.write_proxy_configs()
        rig.sshd.start()
        rig.device.start()
        rig.service.start()
        rig.wait_ready()
        yield rig
    finally:
        rig.finish()
        shutil.rmtree(folder)


def test_nothing_of_root_is_left_once_the_programs_run(owned):
    user = pwd.getpwnam(USER)
    uids, gids = (" ".join([str(number)] * 4) for number in (user.pw_uid, user.pw_gid))
    groups = {str(number) for number in os.getgrouplist(USER, user.pw_gid)}
    assert owned.hub_port < 1024 and owned.echo()
    for program in (owned.hub, owned.device, owned.service):
        for seen in status(program.pid):
            assert (seen[0], seen[1], seen[3:]) == (uids, gids, (NO_CAPABILITY, NO_CAPABILITY, "1")), program.name
            assert set(seen[2].split()) <= groups
        assert "runs as root" not in program.output()


def test_files_are_still_taken_over_and_the_registry_written(owned):
    """All that the hub does later must be possible without root."""
    owned.set_hub_yaml(user=USER, threads=3, linger="7s", resource_log=owned.hub_directory / "resource.log")
    assert owned.admin("reload").startswith("changed: ")
    log = owned.hub_directory / "resource.log"
    wait_until(log.exists, "the resource log to be opened by its thread")
    assert log.stat().st_uid == pwd.getpwnam(USER).pw_uid
    owned.add_device("later-device")
    assert owned.echo()


@pytest.mark.parametrize(
    "line, told",
    [
        ("user: no-such-user", "is no user of this machine"),
        ("user: nobody\ngroup: no-such-group", "is no group of this machine"),
    ],
)
def test_an_unknown_user_or_group_is_refused(tmp_path, line, told):
    rig = Rig(tmp_path / "rig").init()
    with open(rig.hub_directory / "stream-hub.yaml", "a") as config:
        config.write(line + "\n")
    done = run([BIN / "stream-hub", "--config", rig.hub_directory / "stream-hub.yaml"], check=False)
    assert done.returncode == 78 and told in done.stderr
    rig.local.close()


def leaves_a_core(process):
    """Lifts the limit, aborts the process, and says what the kernel made of it."""
    resource.prlimit(process.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    process.send_signal(signal.SIGABRT)
    _, ending = os.waitpid(process.pid, 0)
    process.returncode = -signal.SIGABRT
    assert os.WIFSIGNALED(ending) and os.WTERMSIG(ending) == signal.SIGABRT
    return os.WCOREDUMP(ending)


def test_no_program_leaves_a_core(own_rig, tmp_path):
    """Their memory holds keys."""
    assert own_rig.echo()
    for program in (own_rig.service, own_rig.device, own_rig.hub):
        program.remember_cmdline()
        assert not leaves_a_core(program.process), program.name
        program.process = None
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path) as other:
        assert leaves_a_core(other), "this machine writes no cores at all, so nothing is proved"


def test_environment_and_arguments_hold_no_secret(rig):
    for program in (rig.service, rig.device, rig.hub):
        for file in ("environ", "cmdline"):
            text = pathlib.Path(f"/proc/{program.pid}/{file}").read_bytes().decode(errors="replace")
            assert not find_leaks(text, rig.secrets), (program.name, file)
