"""Devices that log in with certificates made by OpenSSL, against the real programs."""
import re
import socket
import time

from tests.harness.device_certificates import device_with_certificate, make_certificate
from tests.harness.programs import wait_until
from .test_credentials import service_with

PUMP = "pump-with-certificate"


def install(directory, name):
    for kind in ("key", "pem"):
        (directory / f"device.{kind}").write_bytes((directory / f"{name}.{kind}").read_bytes())


def test_a_certificate_is_renewed_without_a_restart_and_revoked_at_once(rig, tmp_path):
    first, second = make_certificate(tmp_path, "first"), make_certificate(tmp_path, "second")
    install(tmp_path, "first")
    credential = rig.admin("device", "add", PUMP, "--x509-thumbprint", first)
    assert credential.strip().endswith("x509=true")
    device = device_with_certificate(rig, tmp_path, credential).start()
    try:
        wait_until(lambda: rig.is_online(PUMP), "the device to be online")
        with service_with(rig, tmp_path, rig.service_cs, device=PUMP) as (_, port):
            with socket.create_connection(("127.0.0.1", port), 30) as client:
                client.sendall(b"hello")
                assert client.recv(5) == b"hello"
                install(tmp_path, "second")
                since = time.monotonic()
                rig.admin("device", "update", PUMP, "--x509-thumbprint", second)
                try:
                    assert client.recv(1) == b""
                except ConnectionResetError:
                    pass
                print(f"stream ended {1000 * (time.monotonic() - since):.0f} ms after the command was started")
        device.wait_for(r"the device's certificate was renewed")
        wait_until(lambda: rig.is_online(PUMP), "the device to be back with its new certificate")
        assert re.search(second.replace(":", ""), device.output())
    finally:
        assert device.stop() == 0
        rig.admin("device", "remove", PUMP)
