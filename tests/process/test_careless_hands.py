"""What people do by mistake or by habit is taken, or told with what to do instead."""
import os
import re
import signal
import socket
import subprocess
import sys

import pytest
from tests.harness.programs import BIN, PATIENCE, Program, find_tool, free_port, is_listening, run, wait_until
from tests.harness.rig import DEVICE


@pytest.fixture
def careless(rig):
    """Files of a service in a folder that every user may enter, as /etc is."""
    folder = rig.directory / "careless"
    folder.mkdir(exist_ok=True)
    modes = {path: path.stat().st_mode for path in (folder, *folder.parents)}
    for path, mode in modes.items():
        if not mode & 0o001:
            path.chmod(mode | 0o001)
    credential = folder / "service.cs"
    credential.write_text((rig.hub_directory / "service.cs").read_text())
    credential.chmod(0o600)
    config = folder / "service-proxy.yaml"
    port = free_port()
    config.write_text(
        rig.hub_section(credential)
        + f"forwards:\n  - listen: localhost:{port}\n    device: {DEVICE}\n    service: echo\n"
    )
    yield folder
    for path in folder.iterdir():
        path.unlink()
    for path, mode in modes.items():
        if not mode & 0o001:
            path.chmod(mode)


def listening_port(folder):
    text = (folder / "service-proxy.yaml").read_text()
    return int(text.split("listen: localhost:")[1].split("\n")[0])


def echoes(address, port):
    with socket.create_connection((address, port), PATIENCE) as client:
        client.sendall(b"x")
        return client.recv(1) == b"x"


def start_service(rig, folder, *flags, under=()):
    command = [*under, BIN / "service-proxy", "--config", folder / "service-proxy.yaml", *flags]
    program = Program(f"careless-{free_port()}", command, rig.directory)
    rig.extra_programs.append(program)
    program.start()
    return program


def test_a_credential_that_everybody_can_read_is_told_at_start_and_by_a_check(rig, careless):
    check = [BIN / "service-proxy", "--check-config", "--config", careless / "service-proxy.yaml"]
    assert run(check).stderr == ""
    (careless / "service.cs").chmod(0o640)
    assert run(check).stderr == "", "a group may be meant"
    (careless / "service.cs").chmod(0o644)
    told = run(check).stderr
    assert told.startswith("warning: ") and f"chmod o= {careless}/service.cs" in told
    program = start_service(rig, careless)
    program.wait_for(r'"level":"warning","message":"[^"]*every user of this machine can read')
    program.stop()


def test_connection_strings_are_taken_as_they_were_saved(rig, careless):
    text = (careless / "service.cs").read_text().strip()
    (careless / "service.cs").write_bytes(b"\xff\xfe" + f'# of the hub\r\n"{text}"\r\n'.encode("utf-16-le"))
    program = start_service(rig, careless)
    program.wait_for('"listening"')
    assert echoes("127.0.0.1", listening_port(careless))
    program.stop()


def test_localhost_is_of_both_families(rig, careless):
    program = start_service(rig, careless)
    program.wait_for('"listening"')
    families = {row[0] for row in socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)}
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        if family in families:
            assert echoes(address, listening_port(careless))
    program.stop()


def test_a_typed_forward_works_beside_a_daemon(rig, careless):
    daemon = start_service(rig, careless)
    daemon.wait_for('"listening"')
    port = free_port()
    typed = start_service(rig, careless, "-L", f"{port}:{DEVICE}/echo")
    wait_until(lambda: is_listening(port), "the typed forward to listen")
    typed.stop()
    daemon.stop()


ASK = """
import socket, sys
address = sys.argv[1]
family, where = (socket.AF_UNIX, address) if "/" in address else (socket.AF_INET, ("127.0.0.1", int(address)))
client = socket.socket(family)
client.connect(where)
try:
    client.sendall(b"x")
    print(client.recv(1) == b"x")
except OSError:
    print(False)
"""


def works_for(user, address):
    done = run([sys.executable, "-c", ASK, address], user=user, group=user, extra_groups=[], cwd="/")
    return done.stdout.strip() == "True"


def test_users_that_a_namespace_does_not_map_are_not_taken_for_one(rig, careless):
    """The kernel shows all of them as one, which nobody can have meant."""
    config = careless / "service-proxy.yaml"
    text = config.read_text()
    config.write_text(text + "    allow_users: [65534]\n")
    refused = run([BIN / "service-proxy", "--check-config", "--config", config], check=False)
    assert refused.returncode == 78 and "stands for all users" in refused.stderr
    config.write_text(text + "    allow_users: [4711]\n")
    program = start_service(rig, careless, under=[find_tool("unshare"), "--user", "--map-root-user"])
    program.wait_for('"listening"')
    assert not works_for(4711, str(listening_port(careless)))
    program.wait_for("DS-310[^,]*it is not known which user")
    program.stop()


def test_a_reload_with_a_fault_opens_no_socket_to_others(rig, careless):
    config = careless / "service-proxy.yaml"
    forward = "  - listen: unix:{name}.sock\n    device: " + DEVICE + "\n    service: echo\n"
    head = config.read_text().split("forwards:")[0] + "forwards:\n"
    one, two = forward.format(name="one"), forward.format(name="two")
    config.write_text(head + one + two)
    program = start_service(rig, careless)
    wait_until(lambda: (careless / "two.sock").exists(), "both forwards to listen")
    (careless / "two.sock").unlink()
    config.write_text(head + one + "    allow_users: [4711]\n" + two)
    program.signal(signal.SIGHUP)
    program.wait_for('"changed":"forwards"')
    program.wait_for('"the mode of a socket stays as it was","reason":"[^"]*two.sock')
    assert not works_for(4712, str(careless / "one.sock")), "whoever can connect is checked"
    assert works_for(4711, str(careless / "one.sock"))
    program.stop()


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_only_allowed_users_may_use_a_forward(rig, careless, kind):
    """As who has an account, or a browser, on the machine of a forward."""
    allowed, other = 4711, 4712
    config = careless / "service-proxy.yaml"
    socket_file = careless / "echo.sock"
    listen = f"localhost:{listening_port(careless)}" if kind == "tcp" else f"unix:{socket_file}"
    address = listen.split(":")[1]
    text = re.sub(r"listen: .*", f"listen: {listen}", config.read_text())
    config.write_text(text + f"    allow_users: [{allowed}]\n")
    program = start_service(rig, careless)
    program.wait_for('"listening"')
    assert works_for(allowed, address)
    assert not works_for(other, address)
    program.wait_for("DS-310[^,]*4712")
    assert not works_for(os.getuid(), address), "not even for the user of service-proxy"
    config.write_text(text)
    program.signal(signal.SIGHUP)
    program.wait_for('"changed":"forwards"')
    if kind == "unix":
        assert socket_file.stat().st_mode & 0o777 == 0o600
    assert works_for(os.getuid(), address)
    program.stop()


def test_the_form_of_ssh_is_told_the_form_of_ours(careless):
    command = [BIN / "service-proxy", "--config", careless / "service-proxy.yaml", "-L", "2222:pump-17:22"]
    done = run(command, check=False)
    assert done.returncode == 64
    assert "pump-17/ssh" in done.stderr


def test_who_waits_for_a_device_that_is_offline_is_told_after_two_seconds(rig):
    rig.add_device("never-there")
    (rig.directory / "stdio.yaml").write_text(rig.hub_section("service.cs") + "timeouts: {connect: 4s}\n")
    command = [BIN / "service-proxy", "--config", rig.directory / "stdio.yaml", "--stdio", "never-there"]
    done = run(command, check=False, timeout=PATIENCE)
    lines = done.stderr.splitlines()
    assert done.returncode == 69
    assert ["no answer yet, still waiting" in lines[0], "DS-303" in lines[-1], len(lines)] == [True, True, 2], lines


@pytest.mark.no_sanitizer  # UBSan looks at objects by way of a pipe, and takes them for invalid where it gets none
def test_service_proxy_without_descriptors_says_so(rig):
    """And blames neither the hub nor the device."""
    config = rig.directory / "few.yaml"
    port = free_port()
    config.write_text(
        rig.hub_section("service.cs")
        + f"forwards:\n  - listen: 127.0.0.1:{port}\n    device: {DEVICE}\n    service: echo\n"
    )
    few = [find_tool("prlimit"), "--nofile=24:24", str(BIN / "service-proxy"), "--config", str(config)]
    program = Program("few", few, rig.directory)
    rig.extra_programs.append(program)
    program.start()
    program.wait_for('"listening"')
    clients = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(24)]
    program.wait_for("DS-902")
    assert "DS-201" not in program.output()
    for client in clients:
        client.close()
    program.stop()


def test_a_hub_that_is_not_there_is_asked_about(rig):
    section = rig.hub_section("service.cs").replace(f"port: {rig.hub_port}", f"port: {free_port()}")
    (rig.directory / "stdio.yaml").write_text(section)
    command = [BIN / "service-proxy", "--config", rig.directory / "stdio.yaml", "--stdio", DEVICE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 69
    assert "DS-201" in done.stderr and "Check that the hub runs" in done.stderr
