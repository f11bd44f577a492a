"""New settings and renewed files under live traffic: nothing that runs may notice."""
import os
import re
import signal
import socket
import ssl

import pytest
from tests.harness.live_streams import LiveStreams
from tests.harness.programs import run

STREAMS = 200


def change(path, **values):
    """Sets top-level keys."""
    kept = [line for line in path.read_text().splitlines() if line.split(":")[0] not in values]
    path.write_text("\n".join(kept + [f"{key}: {value}" for key, value in values.items()]) + "\n")


def make_server_certificate(rig, directory, host):
    """A certificate of a CA that nobody knows yet; the names of both are the files'."""
    for name in ("new-ca", "new-hub"):
        run(
            [
                "openssl",
                "genpkey",
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-out",
                directory / f"{name}.key",
            ]
        )
    run(
        [
            "openssl",
            "req",
            "-x509",
            "-new",
            "-key",
            directory / "new-ca.key",
            "-subj",
            "/CN=new CA",
            "-days",
            "2",
            "-out",
            directory / "new-ca.pem",
        ]
    )
    run(
        [
            "openssl",
            "req",
            "-new",
            "-key",
            directory / "new-hub.key",
            "-subj",
            "/CN=new hub",
            "-out",
            directory / "new-hub.csr",
        ]
    )
    names = directory / "names.conf"
    names.write_text(f"subjectAltName=IP:{host},DNS:localhost\n")
    run(
        [
            "openssl",
            "x509",
            "-req",
            "-in",
            directory / "new-hub.csr",
            "-CA",
            directory / "new-ca.pem",
            "-CAkey",
            directory / "new-ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            names,
            "-out",
            directory / "new-hub.pem",
        ]
    )
    return directory / "new-hub.pem"


def replace(path, content):
    """As certbot and package managers do it: the name leads to the old file or to the new one."""
    fresh = path.with_name(path.name + ".fresh")
    fresh.write_bytes(content)
    os.chmod(fresh, path.stat().st_mode & 0o777)
    fresh.rename(path)


def test_two_hundred_live_streams_do_not_notice_reloads_and_a_new_certificate(own_rig, tmp_path):
    rig = own_rig
    certificate = make_server_certificate(rig, tmp_path, rig.host)
    with LiveStreams(rig, STREAMS) as streams:
        change(rig.hub_directory / "stream-hub.yaml", linger="6s", threads="1")
        assert rig.admin("reload") == "changed: linger\nchanged, but in use only after a restart: threads\n"
        for proxy in (rig.device, rig.service):
            change(rig.directory / f"{proxy.name}.yaml", linger="6s")
            since = proxy.mark()
            proxy.signal(signal.SIGHUP)
            proxy.wait_for(r"configuration reloaded.*linger", since)
        streams.wait_for_rounds(3)

        marks = [(proxy, proxy.mark()) for proxy in (rig.device, rig.service)]
        replace(rig.ca_file, rig.ca_file.read_bytes() + (tmp_path / "new-ca.pem").read_bytes())
        for proxy, since in marks:
            proxy.wait_for("renewed files are in use", since)
        since = rig.hub.mark()
        replace(rig.hub_directory / "hub.pem", certificate.read_bytes())
        rig.hub.wait_for("is not the key of", since)  # and the old one goes on until the other half is there
        assert rig.echo()
        replace(rig.hub_directory / "hub.key", (tmp_path / "new-hub.key").read_bytes())
        rig.hub.wait_for("a new certificate is served", since)
        served = ssl.get_server_certificate((rig.host, rig.hub_port))
        assert ssl.PEM_cert_to_DER_cert(served) == ssl.PEM_cert_to_DER_cert(certificate.read_text())
        streams.wait_for_rounds(3)
        assert rig.echo()


@pytest.mark.parametrize(
    "fault, told",
    [
        (lambda rig: change(rig.hub_directory / "stream-hub.yaml", lingre="6s"), r"stream-hub.yaml:\d+:1 lingre"),
        (lambda rig: (rig.hub_directory / "hub.key").write_text("garbage\n"), "hub.key"),
        (lambda rig: (rig.hub_directory / "hub.pem").unlink(), "hub.pem"),
    ],
    ids=["wrong key", "garbage", "missing file"],
)
def test_a_bad_reload_of_the_hub_says_why_and_changes_nothing(rig, fault, told):
    kept = {path: path.read_bytes() for path in rig.hub_directory.glob("*") if path.is_file()}
    since = rig.hub.mark()
    try:
        fault(rig)
        done = rig.admin("reload", check=False)
        assert done.returncode != 0 and "DS-" in done.stderr and re.search(told, done.stderr)
        rig.hub.signal(signal.SIGHUP)
        rig.hub.wait_for(told, since)
        rig.hub.wait_for("configuration not reloaded: the old settings stay", since)
        assert rig.echo()
    finally:
        for path, content in kept.items():
            replace(path, content) if path.exists() else path.write_bytes(content)
    assert rig.admin("reload").startswith("changed:")


@pytest.mark.parametrize("name", ["device-proxy", "service-proxy"])
def test_a_bad_reload_of_a_proxy_says_why_and_changes_nothing(rig, name):
    program = rig.device if name == "device-proxy" else rig.service
    config = rig.directory / f"{name}.yaml"
    good = config.read_text()
    since = program.mark()
    try:
        config.write_text(good + "nonsense: 1\n")
        program.signal(signal.SIGHUP)
        program.wait_for(rf"{name}.yaml:\d+:1 nonsense", since)
        program.wait_for("configuration not reloaded: the old settings stay", since)
        assert rig.echo()
    finally:
        config.write_text(good)


def test_forwards_come_and_go_while_streams_run(own_rig):
    rig = own_rig
    config = rig.directory / "service-proxy.yaml"
    original = config.read_text()
    old, new = rig.forward_ports["web"], rig.forward_ports["web"] + 1
    with LiveStreams(rig, 5) as streams:
        config.write_text(original.replace(f":{old}\n", f":{new}\n"))
        since = rig.service.mark()
        rig.service.signal(signal.SIGHUP)
        rig.service.wait_for("configuration reloaded", since)
        socket.create_connection((rig.host, new), 10).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((rig.host, old), 10)
        with socket.create_server((rig.host, 0)) as taken:
            config.write_text(original.replace(f":{old}\n", f":{taken.getsockname()[1]}\n"))
            since = rig.service.mark()
            rig.service.signal(signal.SIGHUP)
            rig.service.wait_for("DS-", since)
            socket.create_connection((rig.host, new), 10).close()
        streams.wait_for_rounds(2)
