"""OpenSSH and rsync through the tunnel, unmodified."""
import hashlib
import subprocess
import time

import pytest
from tests.harness.programs import BIN, PATIENCE, SANITIZED, find_tool, run
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
            assert proxy.wait(PATIENCE) == 1
            assert "No space left on device" in proxy.stderr.read()
