"""OpenSSH and rsync through the tunnel, unmodified."""
import hashlib
import json
import subprocess
import time

import pytest
from tests.harness.programs import BIN, PATIENCE, SANITIZED, find_tool, run, wait_until
from tests.harness.rig import DEVICE

BULK = (32 if SANITIZED else 256) * 1024 * 1024


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture(scope="module")
def bulk_file(tmp_path_factory):
    """Bytes that no layer can compress or guess."""
    path = tmp_path_factory.mktemp("bulk") / "bulk.bin"
    run(["openssl", "rand", "-out", path, str(BULK)])
    return path


def test_a_command_runs_on_the_far_side(rig):
    assert run(rig.ssh("echo", "far", "side")).stdout == "far side\n"


def test_exit_code_and_standard_error_come_back(rig):
    done = run(rig.ssh("echo complaint >&2; exit 7"), check=False)
    assert (done.returncode, "complaint" in done.stderr) == (7, True)


def test_standard_input_reaches_the_command_to_its_end(rig):
    text = "line\n" * 20000
    assert run(rig.ssh("wc -l"), input=text).stdout.strip() == "20000"


def test_sftp_carries_a_large_file_both_ways(rig, bulk_file, tmp_path):
    far, back = tmp_path / "far.bin", tmp_path / "back.bin"
    port = rig.forward_ports["ssh"]
    batch = f"put {bulk_file} {far}\nget {far} {back}\n"
    run(["sftp", *rig.sshd.client_options(port), "-b", "-", "-P", port, f"{rig.sshd.user}@127.0.0.1"], input=batch)
    expected = sha256(bulk_file)
    assert sha256(far) == expected
    assert sha256(back) == expected


def test_scp_copies_there_and_back(rig, tmp_path):
    source, far, back = (tmp_path / name for name in ("source", "far", "back"))
    source.write_bytes(bytes(range(256)) * 8192)
    port, remote = rig.forward_ports["ssh"], f"{rig.sshd.user}@127.0.0.1"
    options = [*rig.sshd.client_options(port), "-q", "-P", str(port)]
    run(["scp", *options, source, f"{remote}:{far}"])
    run(["scp", *options, f"{remote}:{far}", back])
    assert sha256(back) == sha256(source)


def test_rsync_makes_an_equal_tree_and_then_finds_nothing_to_do(rig, tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    for number in range(40):
        path = source / f"folder{number % 5}" / f"file{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hashlib.sha256(str(number).encode()).digest() * (number * 37 + 1))
    port = rig.forward_ports["ssh"]
    shell = " ".join(["ssh", *rig.sshd.client_options(port), "-p", str(port)])
    copy = [
        find_tool("rsync"),
        "-a",
        "--itemize-changes",
        "-e",
        shell,
        f"{source}/",
        f"{rig.sshd.user}@127.0.0.1:{target}/",
    ]
    run(copy)
    run(["diff", "-r", source, target])
    assert run(copy).stdout == ""


def test_twenty_sessions_run_at_once(rig):
    """Each waits for a line that it gets once all are there, so they truly overlap."""
    sessions = [
        subprocess.Popen(
            rig.ssh(f"echo in; read word; echo $word {number}"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(20)
    ]
    try:
        for session in sessions:
            assert session.stdout.readline() == "in\n", session.communicate()
        assert rig.admin("streams", "list").count("ssh.") >= 20
        assert [session.communicate("out\n", timeout=60)[0] for session in sessions] == [
            f"out {n}\n" for n in range(20)
        ]
    finally:
        for session in sessions:
            session.kill()
            session.wait()


def test_a_session_stays_up_while_nothing_is_said(rig):
    begin = time.monotonic()
    assert run(rig.ssh("sleep 7; echo still here")).stdout == "still here\n"
    assert time.monotonic() - begin >= 7


def test_stdio_serves_as_proxy_command(rig):
    """As ssh users configure it: no listening port at all."""
    port = rig.forward_ports["ssh"]
    proxy = f"{BIN}/service-proxy --config {rig.directory}/stdio.yaml --stdio {DEVICE}/ssh"
    (rig.directory / "stdio.yaml").write_text(rig.hub_section("service.cs"))
    # The known-hosts entry of the forward's port serves for the same server reached another way.
    options = rig.sshd.client_options(port)
    done = run(
        ["ssh", *options, "-o", f"ProxyCommand={proxy}", "-p", port, f"{rig.sshd.user}@127.0.0.1", "echo over stdio"]
    )
    assert done.stdout == "over stdio\n"


@pytest.fixture
def by_stdio(rig):
    """A ProxyCommand that keeps its log and leaves its exit code, and ssh's options to use it."""
    (rig.directory / "stdio.yaml").write_text(rig.hub_section("service.cs") + "log:\n  level: debug\n")
    log, codes, script = (rig.directory / name for name in ("stdio.log", "stdio.codes", "stdio.sh"))
    log.write_text("")
    codes.write_text("")
    script.write_text(
        f"trap '' HUP\n"  # ssh's goodbye is for the program
        f"(trap - HUP; exec {BIN}/service-proxy --config {rig.directory}/stdio.yaml --stdio {DEVICE}/$1 2>>{log})\n"
        f"echo $? >>{codes}\n"
    )
    return ByStdio(rig, script, log, codes)


class ByStdio:
    def __init__(self, rig, script, log, codes):
        self.rig, self.script, self.log, self.codes = rig, script, log, codes

    def options(self):
        # The known-hosts entry of the forward's port serves for the same server reached another way.
        return [
            *self.rig.sshd.client_options(self.rig.forward_ports["ssh"]),
            "-o",
            f"ProxyCommand=sh {self.script} ssh",
        ]

    def exit_codes(self, count):
        wait_until(
            lambda: len(self.codes.read_text().split()) >= count, lambda: f"{count} ends: {self.log.read_text()}"
        )
        return [int(code) for code in self.codes.read_text().split()]

    def ends(self, count):
        """The reasons in the `stream ended` lines of these streams, for each of the three programs."""
        texts = [self.log.read_text, self.rig.hub.output, self.rig.device.output]

        def ended(text):
            lines = [json.loads(line) for line in text().splitlines() if '"stream ended"' in line]
            return {line["stream"]: line["reason"] for line in lines}

        own = wait_until(lambda: len(ended(self.log.read_text)) >= count and ended(self.log.read_text), "the ends")
        wait_until(lambda: all(own.keys() <= ended(text).keys() for text in texts), "the others' ends")
        return [[reason for stream, reason in ended(text).items() if stream in own] for text in texts]


def test_an_ordinary_ssh_ends_its_stream_in_order(rig, by_stdio):
    """ssh closes both pipes at once and sends SIGHUP."""
    for number in range(5):
        assert run(["ssh", *by_stdio.options(), "-p", rig.forward_ports["ssh"], "127.0.0.1", f"echo {number}"]).stdout
    assert by_stdio.exit_codes(5) == [0] * 5
    for reasons in by_stdio.ends(5):
        assert len(reasons) == 5 and all("closed by the" in reason for reason in reasons), reasons


def test_scp_by_stdio_ends_its_stream_in_order(rig, by_stdio, tmp_path):
    source, far, back = (tmp_path / name for name in ("source", "far", "back"))
    source.write_bytes(bytes(range(256)) * 8192)
    options = [*by_stdio.options(), "-q", "-P", rig.forward_ports["ssh"]]
    run(["scp", *options, source, f"127.0.0.1:{far}"])
    run(["scp", *options, f"127.0.0.1:{far}", back])
    assert sha256(back) == sha256(source)
    assert by_stdio.exit_codes(2) == [0] * 2
    assert all("closed by the" in reason for reasons in by_stdio.ends(2) for reason in reasons)


def test_an_ssh_that_is_killed_in_a_transfer_resets_the_stream(rig, by_stdio):
    """Unless it was waited for at that moment: then nothing was under way, and it is tried again."""

    def carried():
        streams = json.loads(rig.admin("streams", "list", "--json"))
        return sum(stream["bytes_to_service"] for stream in streams)

    command = ["ssh", *by_stdio.options(), "-p", str(rig.forward_ports["ssh"]), "127.0.0.1", "cat /dev/zero"]
    for attempt in range(1, 6):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as client:
            wait_until(lambda: carried() > 4 * 1024 * 1024, "the transfer")
            client.kill()
            client.wait()
        if by_stdio.exit_codes(attempt)[-1] == 74:
            break
    assert by_stdio.exit_codes(attempt)[-1] == 74
    assert all("DS-501" in reasons[-1] for reasons in by_stdio.ends(attempt))


def test_what_comes_for_a_client_that_has_left_is_no_end_in_order(by_stdio):
    """It had read all that came before. The service ends by itself at the client's end, so that it need not notice."""
    command = ["sh", str(by_stdio.script), "echo"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as proxy:
        proxy.stdin.write(b"x")
        proxy.stdin.flush()
        assert proxy.stdout.read(1) == b"x"
        proxy.stdout.close()
        proxy.stdin.write(b"echoed to nobody")
        proxy.stdin.close()
        assert by_stdio.exit_codes(1) == [74]
    assert all("DS-501" in reason for reason in by_stdio.ends(1)[0])


def test_stdio_whose_output_cannot_be_written_fails(rig):
    """Whether or not its input goes on: a full disk is no end in order."""
    command = [BIN / "service-proxy", "--config", rig.directory / "stdio.yaml", "--stdio", f"{DEVICE}/echo"]
    (rig.directory / "stdio.yaml").write_text(rig.hub_section("service.cs"))
    for ends in (True, False):
        with open("/dev/full", "wb") as full, subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=full, stderr=subprocess.PIPE, text=True
        ) as proxy:
            proxy.stdin.write("echoed")
            proxy.stdin.flush()
            if ends:
                proxy.stdin.close()
            assert proxy.wait(PATIENCE) == 74
            assert "No space left on device" in proxy.stderr.read()
