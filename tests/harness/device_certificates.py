"""Devices that log in with a certificate of their own."""
from .programs import BIN, Program, run


def make_certificate(directory, name):
    """Self-signed, as an operator would make it; gives its SHA-256 as OpenSSL prints it."""
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=anything -days 2".split()
    run(["openssl", *words, "-keyout", directory / f"{name}.key", "-out", directory / f"{name}.pem"])
    printed = run(["openssl", "x509", "-in", directory / f"{name}.pem", "-noout", "-fingerprint", "-sha256"]).stdout
    return printed.strip().split("=")[1]


def device_with_certificate(rig, directory, credential, name="device-proxy"):
    """The rig's device-proxy as another device, with device.pem and device.key of this folder; not started."""
    (directory / "device.cs").write_text(credential)
    config = directory / "device-proxy.yaml"
    original = (rig.directory / "device-proxy.yaml").read_text()
    config.write_text(
        original.replace(str(rig.directory / "device.cs"), str(directory / "device.cs")).replace(
            "hub:\n", "hub:\n  certificate: device.pem\n  key: device.key\n", 1
        )
    )
    return Program(name, [BIN / "device-proxy", "--config", config], directory)
