"""Starting with what cannot work: one clear message, an exit code of its own, no half-started program."""
import shutil
import socket

import pytest
from tests.harness.programs import BIN, ROOT, Program, free_port, is_listening, run, wait_until
from tests.harness.rig import Rig
from tests.harness.secrets import find_leaks
from tests.harness.wire import is_let_go

CONFIG_FAULT = 78
PROGRAMS = ["stream-hub", "device-proxy", "service-proxy"]


def start(rig, name, config, *flags):
    """Runs a program that is expected to end by itself; (exit code, output)."""
    done = run([BIN / name, "--config", config, *flags], check=False, timeout=30)
    output = done.stdout + done.stderr
    assert not find_leaks(output, rig.secrets)
    return done.returncode, output


@pytest.fixture
def scratch(tmp_path):
    """A place for configurations that are never started for long."""
    return tmp_path


@pytest.mark.parametrize("name", PROGRAMS)
def test_version_and_help_answer_at_once(name):
    assert run([BIN / name, "--version"]).stdout.strip() != ""
    text = run([BIN / name, "--help"]).stdout
    assert "--config" in text and "--check-config" in text


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_unknown_flag_is_a_usage_error(name):
    done = run([BIN / name, "--no-such-flag"], check=False)
    assert done.returncode == 64
    assert "no-such-flag" in done.stderr


@pytest.mark.parametrize("name", PROGRAMS)
def test_check_config_accepts_what_runs(rig, name):
    config = rig.hub_directory / "stream-hub.yaml" if name == "stream-hub" else rig.directory / f"{name}.yaml"
    code, output = start(rig, name, config, "--check-config")
    assert code == 0, output


def test_all_faults_are_told_at_once_with_their_places(rig, scratch):
    config = scratch / "device-proxy.yaml"
    config.write_text(
        "hub:\n  conection_string_file: x\n  port: 99999\nservices:\n  ssh: nowhere\ntimeouts:\n  local: fast\n"
    )
    code, output = start(rig, "device-proxy", config, "--check-config")
    assert code == CONFIG_FAULT
    for place in (f"{config}:2:3", f"{config}:3:9", f"{config}:5:8", f"{config}:7:10"):
        assert place in output, output
    assert "connection_string_file" in output, "the nearest key is suggested"


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_fault_stops_the_start_with_the_same_message(rig, scratch, name):
    config = scratch / "bad.yaml"
    config.write_text("no_such_key: 1\n")
    code, output = start(rig, name, config)
    assert code == CONFIG_FAULT
    assert f"{config}:1:1" in output and "no_such_key" in output


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00", b"a: [1, 2", b"- just\n- a list\n", b"a: &x [*x, *x]\n", b""],
    ids=["binary", "unclosed", "list", "alias", "empty"],
)
def test_a_file_that_is_no_configuration_is_told(rig, scratch, name, content):
    config = scratch / "bad.yaml"
    config.write_bytes(content)
    code, output = start(rig, name, config)
    assert code == CONFIG_FAULT, output
    assert str(config) in output


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_configuration_that_is_not_there_is_told(rig, scratch, name):
    code, output = start(rig, name, scratch / "nowhere.yaml")
    assert code == CONFIG_FAULT
    assert "nowhere.yaml" in output


def test_a_missing_credential_file_is_told(rig, scratch):
    config = scratch / "device-proxy.yaml"
    config.write_text("hub:\n  connection_string_file: /nowhere/device.cs\nservices:\n  ssh: localhost:22\n")
    code, output = start(rig, "device-proxy", config)
    assert code == CONFIG_FAULT
    assert "/nowhere/device.cs" in output


def test_a_missing_certificate_is_told(rig, scratch):
    directory = scratch / "hub"
    shutil.copytree(rig.hub_directory, directory, ignore=shutil.ignore_patterns("*.sock", "*-wal", "*-shm"))
    config = directory / "stream-hub.yaml"
    config.write_text(config.read_text().replace(str(rig.hub_directory), str(directory)))
    for key in directory.rglob("hub.key"):
        key.unlink()
    code, output = start(rig, "stream-hub", config)
    assert code in (1, CONFIG_FAULT)
    assert "hub.key" in output and "DS-10" in output


def test_service_proxy_says_when_its_port_is_in_use(rig, scratch):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        config = scratch / "service-proxy.yaml"
        config.write_text(
            rig.hub_section("service.cs") + f"forwards:\n  - listen: 127.0.0.1:{port}\n    device: pump-17\n"
        )
        code, output = start(rig, "service-proxy", config)
    assert code == 71
    assert "DS-105" in output and str(port) in output


def test_the_hub_says_when_its_port_is_in_use(tmp_path, rig):
    other = Rig(tmp_path / "other")
    other.hub_port = rig.hub_port
    other.init()
    code, output = start(other, "stream-hub", other.hub_directory / "stream-hub.yaml")
    other.local.close()
    assert code == 71
    assert "DS-105" in output and str(rig.hub_port) in output


@pytest.mark.release_only  # waits for the other hub to go
def test_a_state_directory_in_use_is_told(rig):
    """Two hubs on one registry would give different answers."""
    config = rig.hub_directory / "second.yaml"
    text = (rig.hub_directory / "stream-hub.yaml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith(("listen:", "mqtt_listen:"))]
    config.write_text("\n".join([*lines, f"listen: 127.0.0.1:{free_port()}"]) + "\n")
    code, output = start(rig, "stream-hub", config)
    config.unlink()
    assert code == 74
    assert "DS-10" in output
    assert rig.echo()


def test_a_hub_with_an_unknown_authority_is_not_trusted(rig, tmp_path):
    run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=other",
            "-keyout",
            tmp_path / "other.key",
            "-out",
            tmp_path / "other.pem",
            "-days",
            "1",
        ]
    )
    config = tmp_path / "service-proxy.yaml"
    port = free_port()
    config.write_text(
        rig.hub_section("service.cs").replace(str(rig.ca_file), str(tmp_path / "other.pem"))
        + f"forwards:\n  - listen: 127.0.0.1:{port}\n    device: pump-17\n    service: echo\n"
    )
    program = Program("stranger", [BIN / "service-proxy", "--config", config], tmp_path).start()
    try:
        wait_until(lambda: is_listening(port), "it to listen")
        assert is_let_go(port)
        program.wait_for("DS-203")
    finally:
        assert program.stop() == 0


@pytest.mark.parametrize("name", PROGRAMS)
def test_shipped_configurations_are_accepted(rig, scratch, name):
    """With the credentials and certificates that an administrator has put beside them."""
    for file in ("hub.pem", "hub.key", "hub-ca.pem", "service.cs"):
        shutil.copy(rig.hub_directory / file, scratch)
    shutil.copy(rig.directory / "device.cs", scratch)
    shutil.copy(ROOT / "configs" / f"{name}.yaml", scratch)
    code, output = start(rig, name, scratch / f"{name}.yaml", "--check-config")
    assert code == 0, output


def test_forwards_can_be_given_as_ssh_users_do(rig, tmp_path):
    port = free_port()
    config = tmp_path / "service-proxy.yaml"
    config.write_text(rig.hub_section("service.cs"))
    program = Program("by-flag", [BIN / "service-proxy", "--config", config, "-L", f"{port}:pump-17/echo"], tmp_path)
    program.start()
    try:
        wait_until(lambda: is_listening(port), "it to listen")
        with socket.create_connection(("127.0.0.1", port), 30) as client:
            client.sendall(b"by flag")
            assert client.recv(10) == b"by flag"
    finally:
        assert program.stop() == 0
