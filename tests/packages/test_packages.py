"""Packages as people meet them: installed by the document, used, upgraded over the session that they carry, removed."""
import contextlib
import json
import queue
import re
import socket
import subprocess
import threading
import time

import pytest
from tests.harness.documents import blocks
from tests.harness.programs import ROOT, wait_until

from .conftest import NEW, OLD
from .machine import Slot

PROGRAMS = ("stream-hub", "device-proxy", "service-proxy")
UNITS = (*PROGRAMS, "device-proxy@press-3", "service-proxy@press-3")
PORT = 2222
# On a machine with nothing else to do a device is away for well under a second.
UNREACHABLE_AT_MOST = 2
# While the hub itself is replaced streams may fail; the proxies are back at it long before this.
BACK_WITHIN = 60
# What grows on any Debian that installs packages and lets somebody in. /root and /srv/packages are the tests' own.
OF_THE_SYSTEM = (
    "/root/",
    "/srv/packages",
    "/etc/apt/",
    "/var/lib/apt/",
    "/var/lib/dpkg/",
    "/var/lib/systemd/",
    "/var/cache/",
    "/var/log/",
    "/var/tmp/",
    "/tmp/",
    "/etc/passwd-",
    "/etc/group-",
    "/etc/shadow-",
    "/etc/gshadow-",
    "/etc/subuid-",
    "/etc/subgid-",
    "/etc/machine-id",
    "/etc/.pwd.lock",
)
UPGRADE = "apt-get update --quiet && apt-get upgrade --yes --quiet"


def tell(text):
    """Figures are for people: they decide nothing."""
    print(f"\n  {text}", end="")


def document_block(having, language="sh"):
    found = [block.text for block in blocks(language) if block.document == "docs/packages.md" and having in block.text]
    assert len(found) == 1, f"{len(found)} blocks of docs/packages.md with {having}"
    return found[0].splitlines()


def unit_state(machine, unit):
    """The main process and how often systemd had to restart it."""
    shown = machine.run(f"systemctl show --property MainPID,NRestarts,ActiveState {unit}").stdout
    return dict(line.split("=", 1) for line in shown.splitlines())


def version_of(machine, package):
    return machine.run(f"dpkg-query --show --showformat='${{Version}}' {package}").stdout


class Shell:
    """An ssh session through the forward, as somebody has who types."""

    def __init__(self, machine):
        self._process = machine.session(f"ssh -tt -p {PORT} localhost")
        self._lines = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self._count = 0
        self.type("export PS1= DEBIAN_FRONTEND=noninteractive; stty -echo")

    def type(self, line, seconds=300):
        """Types the line and returns what it printed, when it is done."""
        self._count += 1
        mark = f"done-{self._count}"
        self._process.stdin.write(f"{line}; echo {mark[:5]}''{mark[5:]} $?\n")
        self._process.stdin.flush()
        printed = ""
        deadline = time.monotonic() + seconds
        while not (ended := re.search(rf"{mark} (\d+)", printed)):
            try:
                text = self._lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{line} took longer than {seconds} s:\n{printed}") from None
            assert text, f"the session was cut:\n{printed}"
            printed += text
        assert ended[1] == "0", printed
        return printed

    def _read(self):
        for text in self._process.stdout:
            self._lines.put(text)
        self._lines.put("")

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if failure:
            self._process.kill()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write("exit\n")
            self._process.stdin.close()
        self._process.wait(60)
        assert failure or self._process.returncode == 0


def test_lintian_finds_nothing(packages):
    changes = list(packages.glob(f"*_{OLD}_*.changes"))
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", *changes], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for path in sorted(packages.glob(f"*_{OLD}_*.deb")):
        tell(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")


def test_the_document_leads_to_ssh(machine):
    lines = [
        line for having in ("stream-hub_*", "device-proxy_*", "service-proxy_*") for line in document_block(having)
    ]
    begin = time.monotonic()
    for line in lines:
        said = machine.run(line, typed="echo it works\nexit\n").stdout
    assert "it works" in said
    tell(f"from the packages to the first ssh: {len(lines)} commands, {(time.monotonic() - begin) / 60:.1f} minutes")
    for line in document_block("journalctl"):
        machine.run(line)


def test_an_instance_has_a_configuration_and_a_credential_of_its_own(machine):
    machine.run("stream-hub device add press-3 --state-directory /var/lib/stream-hub --output press-3.cs")
    for line in document_block("press-3"):
        machine.run(line)
    wait_until(
        lambda: "linked to the hub device=press-3"
        in machine.run("journalctl --no-pager -u device-proxy@press-3").stdout,
        "the link of press-3",
    )


@pytest.mark.parametrize("unit", UNITS)
def test_the_sandbox_is_tight(machine, unit):
    said = machine.run(f"systemd-analyze security --no-pager --threshold=15 {unit}.service", check=False)
    tell(said.stdout.splitlines()[-1].strip("→ "))
    assert said.returncode == 0, said.stdout


def test_services_run_as_users_of_their_own(machine):
    for program in PROGRAMS:
        users = set(machine.run(f"ps -o user:20= -C {program},service-keeper").stdout.split())
        assert users <= set(PROGRAMS) and program in users, users
    tell(
        "resident: "
        + ", ".join(
            f"{program} {int(machine.run(f'ps -o rss= -C {program} | sort -n | tail -n 1').stdout) / 1024:.1f} MiB"
            for program in PROGRAMS
        )
        + ", each keeper "
        f"{int(machine.run('ps -o rss= -C service-keeper | sort -n | tail -n 1').stdout) / 1024:.1f} MiB"
    )


def test_what_crashes_comes_back(machine):
    before = unit_state(machine, "device-proxy@press-3")
    child = machine.run(f"pgrep -P {before['MainPID']}").stdout.strip()
    machine.run(f"kill -SEGV {child}")
    wait_until(lambda: unit_state(machine, "device-proxy@press-3")["NRestarts"] == "1", "the restart")
    wait_until(lambda: unit_state(machine, "device-proxy@press-3")["ActiveState"] == "active", "the service")


def has_told(machine, unit, text, since):
    return text in machine.run(f"journalctl --no-pager --unit {unit} --after-cursor '{since}'").stdout


def place_in_journal(machine):
    return machine.run("journalctl --no-pager --lines 1 --show-cursor").stdout.split("-- cursor: ")[1].strip()


@contextlib.contextmanager
def drop_in(machine, unit, having):
    """What `systemctl edit` would write, by the document."""
    folder = f"/etc/systemd/system/{unit}.d"
    machine.run(
        f"mkdir {folder} && cat >{folder}/override.conf && systemctl daemon-reload",
        typed="\n".join(document_block(having, "ini")),
    )
    try:
        yield
    finally:
        machine.run(f"rm -r {folder} && systemctl daemon-reload")


def open_stream(machine):
    with Slot(machine, PORT) as visitor:
        visitor.longest_of_next(1)


@pytest.mark.parametrize("unit", UNITS[:4])
def test_a_reload_reads_the_configuration(machine, unit):
    before, process = place_in_journal(machine), unit_state(machine, unit)
    machine.run(f"systemctl reload {unit}")
    wait_until(lambda: has_told(machine, unit, "configuration reloaded", before), "the reload")
    assert unit_state(machine, unit) == process


def test_the_hub_writes_its_resource_log_where_the_document_says(machine):
    setting, path = re.search(r"`(resource_log: (\S+))`", (ROOT / "docs/resource-log.md").read_text()).groups()
    machine.run(f"echo '{setting}' >>/etc/stream-hub/stream-hub.yaml && systemctl reload stream-hub")
    open_stream(machine)

    def ends_of_streams():
        lines = machine.run(f"cat {path}", check=False).stdout.splitlines()
        return [line for line in lines if json.loads(line)["operationName"] == "streamEnd"]

    wait_until(ends_of_streams, "the record of the stream")


def test_a_renewed_credential_takes_a_restart_that_cuts_nothing(machine):
    def renew(key):
        machine.run(
            f"stream-hub device renew-key pump-17 --key {key} --state-directory /var/lib/stream-hub --output {key}.cs"
        )

    renew("secondary")
    with Shell(machine) as shell:
        machine.run("install -m 600 secondary.cs /etc/device-proxy/device.cs && systemctl restart device-proxy")
        assert "it goes on" in shell.type("echo it goes on")
    # Nobody uses the old key any more.
    renew("primary")
    open_stream(machine)


def test_a_restart_takes_further_credentials_and_variables_from_a_drop_in(machine):
    machine.run(
        "cd /etc/device-proxy && umask 077 && echo the key >device.key && echo user:password >proxy.credentials"
    )
    with drop_in(machine, "device-proxy.service", "LoadCredential"):
        machine.run("systemctl restart device-proxy")
        main = unit_state(machine, "device-proxy")["MainPID"]
        folder = "/run/credentials/device-proxy.service"
        assert machine.run(f"nsenter --target {main} --mount cat {folder}/device.key").stdout == "the key\n"
        assert "\0HTTPS_PROXY=http://proxy.example.com:3128\0" in machine.run(f"cat /proc/{main}/environ").stdout
    machine.run("systemctl restart device-proxy && rm /etc/device-proxy/device.key /etc/device-proxy/proxy.credentials")
    open_stream(machine)


def test_the_device_is_upgraded_over_the_session_that_it_carries(machine, repository):
    machine.run("echo '# ours' >>/etc/device-proxy/device-proxy.yaml")
    repository.add("device-proxy")
    old, instance = machine.processes("device-proxy"), unit_state(machine, "device-proxy@press-3")
    with Shell(machine) as shell:
        with Slot(machine, PORT) as visitor:
            usual = visitor.longest_of_next(20)
            shell.type(UPGRADE)
            visitor.longest_of_next(20)
        assert not visitor.failures
        tell(
            f"not reachable while device-proxy was upgraded: {visitor.longest():.2f} s ({len(visitor.took)} streams; "
            f"the slowest before: {usual:.2f} s)"
        )
        assert visitor.longest() < UNREACHABLE_AT_MOST + usual
        assert version_of(machine, "device-proxy") == NEW
        assert "it goes on" in shell.type("echo it goes on")
        new = machine.processes("device-proxy") - old
        assert len(new) == 2, "the service and its instance were restarted"
        assert unit_state(machine, "device-proxy@press-3")["MainPID"] != instance["MainPID"]
    wait_until(lambda: machine.processes("device-proxy") == new, "the old process to end with its last stream", 60)
    assert "# ours" in machine.run("cat /etc/device-proxy/device-proxy.yaml").stdout


def test_service_proxy_restarts_under_its_listeners(machine):
    for line in document_block("service-proxy.socket"):
        machine.run(line)
    with Shell(machine) as shell:
        old = machine.processes("service-proxy")
        with Slot(machine, PORT) as visitor:
            visitor.longest_of_next(20)
            machine.run("systemctl restart service-proxy")
            visitor.longest_of_next(20)
        assert not visitor.failures
        tell(f"the slowest stream while service-proxy restarted: {visitor.longest():.2f} s")
        assert old < machine.processes("service-proxy"), "the old process keeps the session"
        assert "it goes on" in shell.type("echo it goes on")


def test_everything_is_upgraded_under_the_session(machine, repository):
    for package in ("service-proxy", "stream-hub"):
        repository.add(package)
    with Shell(machine) as shell:
        with Slot(machine, PORT) as visitor:
            shell.type(UPGRADE)
            visitor.longest_of_next(20)
        tell(
            f"the slowest stream while hub and service-proxy were upgraded: {visitor.longest():.2f} s, "
            f"{len(visitor.failures)} failed, no new one for {visitor.longest_gap():.2f} s"
        )
        assert visitor.longest_gap() < BACK_WITHIN
        assert [version_of(machine, program) for program in PROGRAMS] == [NEW] * 3
        assert "it goes on" in shell.type("echo it goes on")


@contextlib.contextmanager
def idle_stream(machine):
    """An ssh session that lasts until its stream is cut."""
    process = machine.session(f"ssh -p {PORT} localhost 'echo connected; sleep infinity'")
    assert process.stdout.readline() == "connected\n"
    try:
        yield
        process.wait(60)
    finally:
        process.kill()
        process.communicate()


def test_the_socket_unit_has_the_ports_of_its_drop_in(machine):
    config = "/etc/service-proxy/service-proxy.yaml"
    renew = "systemctl stop service-proxy.socket service-proxy && systemctl start service-proxy.socket service-proxy"
    machine.run(
        f"cp {config} before.yaml && cat >>{config}",
        typed="".join(
            f"  - {{listen: '{address}', device: pump-17}}\n" for address in ("127.0.0.1:222", "unix:/run/pump-17.sock")
        ),
    )
    with drop_in(machine, "service-proxy.socket", "ListenStream="):
        machine.run(renew)
        assert "it works" in machine.run("ssh -p 222 localhost echo it works").stdout
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(f"/proc/{machine.pid}/root/run/pump-17.sock")
            assert client.recv(4) == b"SSH-"
    machine.run(f"cp before.yaml {config} && {renew}")


# Streams that have gone on from an older process too.
def test_a_stop_ends_all_processes_of_a_service(machine):
    machine.run(
        "sed -i '/^drain:/d' /etc/service-proxy/service-proxy.yaml && "
        "echo 'drain: 2s' >>/etc/service-proxy/service-proxy.yaml && "
        "systemctl stop service-proxy.socket service-proxy && systemctl start service-proxy.socket service-proxy"
    )
    with idle_stream(machine):
        old = machine.processes("service-proxy")
        machine.run("systemctl restart service-proxy")
        with idle_stream(machine):
            assert old < machine.processes("service-proxy")
            machine.run("systemctl stop service-proxy.socket service-proxy")
            assert not machine.processes("service-proxy")
    machine.run("systemctl start service-proxy.socket service-proxy")


def test_removing_ends_all_processes_and_keeps_what_was_configured(machine):
    with idle_stream(machine):
        machine.run("systemctl restart device-proxy service-proxy")
        # A process whose unit has lost it.
        machine.run("systemctl kill --signal=KILL --kill-whom=main device-proxy@press-3")
        wait_until(
            lambda: unit_state(machine, "device-proxy@press-3")["ActiveState"] != "active", "the end of the keeper"
        )
        machine.run("systemctl stop device-proxy@press-3")
        machine.run("apt-get remove --yes --quiet " + " ".join(PROGRAMS))
    for program in PROGRAMS:
        assert not machine.processes(program)
        assert machine.run(f"test -e /usr/bin/{program}", check=False).returncode == 1
    assert not machine.run("pgrep -x service-keeper", check=False).stdout
    units = " ".join(f"'{program}*'" for program in PROGRAMS)
    active = machine.run(f"systemctl list-units --state=active --no-legend --plain {units}").stdout
    assert not active
    machine.run(
        "test -s /etc/device-proxy/device.cs -a -s /etc/service-proxy/service.cs -a -s /var/lib/stream-hub/registry.db"
    )
    assert "# ours" in machine.run("cat /etc/device-proxy/device-proxy.yaml").stdout


def test_what_was_enabled_comes_back_with_the_packages(machine):
    machine.run("apt-get install --yes --quiet " + " ".join(PROGRAMS))
    for unit in (*UNITS[:4], "service-proxy.socket"):
        assert machine.run(f"systemctl is-active {unit}").stdout == "active\n"
    open_stream(machine)


def test_purging_leaves_nothing(machine):
    machine.run("apt-get purge --yes --quiet " + " ".join(PROGRAMS))
    left = {
        path
        for path in machine.files() - machine.clean_files
        if any(program in path for program in PROGRAMS) or not path.startswith(OF_THE_SYSTEM)
    }
    assert not {path for path in left if not path.startswith(("/root/", "/srv/packages"))}
    for program in PROGRAMS:
        assert machine.run(f"getent passwd {program} || getent group {program}", check=False).stdout == ""
    failed = machine.run("systemctl --failed --no-legend --plain").stdout
    assert not any(program in failed for program in PROGRAMS), failed


def test_the_tarball_does_without_dpkg(machine, packages):
    subprocess.run(["cp", *packages.glob(f"device-streams-{OLD}-linux-*.tar.gz"), machine.home], check=True)
    for line in document_block("tar -xzf"):
        machine.run(line)
    machine.run("install -m 644 hub-ca.pem /etc/device-proxy/ && install -m 600 pump-17.cs /etc/device-proxy/device.cs")
    machine.run("systemctl start device-proxy")
    assert "device-proxy" in machine.run("systemctl show --property ExecStart device-proxy").stdout
    assert machine.processes("device-proxy")
    machine.run("echo '# ours' >>/etc/device-proxy/device-proxy.yaml")
    machine.run(document_block("tar -xzf")[0])
    assert "# ours" in machine.run("cat /etc/device-proxy/device-proxy.yaml").stdout
