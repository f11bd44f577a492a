"""What the hub speaks of TLS: 1.3, and of 1.2 only AEAD ciphers with elliptic-curve key exchange."""
import re
import subprocess

import pytest
from tests.harness.programs import find_tool, run

LEGACY = ["-cipher", "ALL:@SECLEVEL=0"]


def handshake(rig, *options, talk=""):
    """What `openssl s_client` makes of the hub."""
    return run(
        [find_tool("openssl"), "s_client", "-connect", f"{rig.host}:{rig.hub_port}", "-CAfile", rig.ca_file, *options],
        check=False,
        timeout=60,
        input=talk,
    )


def agreed(done):
    match = re.search(r"^New, (\S+), Cipher is (\S+)$", done.stdout, re.MULTILINE)
    return match.groups() if match and match[2] != "(NONE)" else None


@pytest.mark.parametrize(
    "options, version",
    [
        (["-tls1_3"], "TLSv1.3"),
        (["-tls1_2"], "TLSv1.2"),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"], "TLSv1.2"),
        (["-tls1_3", "-groups", "P-256"], "TLSv1.3"),
        (["-tls1_3", "-groups", "P-384"], "TLSv1.3"),
    ],
    ids=["1.3", "1.2", "1.2 with ChaCha20", "P-256", "P-384"],
)
def test_good_tls_is_spoken(rig, options, version):
    done = handshake(rig, *options)
    assert agreed(done) and agreed(done)[0] == version, done.stdout + done.stderr


def offered_by_openssl():
    listed = run([find_tool("openssl"), "ciphers", "-s", "-tls1_2", "ALL:eNULL:@SECLEVEL=0"]).stdout.strip().split(":")
    assert len(listed) > 50
    return listed


def test_of_tls_1_2_only_aead_with_ecdhe_is_left(rig):
    good = re.compile(r"ECDHE-(ECDSA|RSA)-(AES(128|256)-GCM-SHA(256|384)|CHACHA20-POLY1305)")
    weak = [cipher for cipher in offered_by_openssl() if not good.fullmatch(cipher)]
    assert {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256"} <= set(weak)
    done = handshake(rig, "-tls1_2", "-cipher", ":".join(weak) + ":@SECLEVEL=0")
    assert agreed(done) is None and "handshake failure" in done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["-tls1_1", *LEGACY],
        ["-tls1", *LEGACY],
        ["-tls1_3", "-groups", "ffdhe2048:ffdhe8192"],
        ["-tls1_3", "-groups", "X448:P-521"],
    ],
    ids=["1.1", "1.0", "finite fields", "dear curves"],
)
def test_what_is_weak_or_dear_is_refused(rig, options):
    done = handshake(rig, *options)
    assert agreed(done) is None and "alert" in done.stderr, done.stdout + done.stderr


def test_renegotiation_is_refused(rig):
    """`R` makes s_client ask for it."""
    with subprocess.Popen(
        [find_tool("openssl"), "s_client", "-connect", f"{rig.host}:{rig.hub_port}", "-CAfile", rig.ca_file, "-tls1_2"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as client:
        told, _ = client.communicate("R\n", timeout=60)
    assert "RENEGOTIATING" in told and "no renegotiation" in told, told


def test_compression_and_early_data_are_not_offered(rig):
    done = handshake(rig, "-tls1_2")
    assert "Compression: NONE" in done.stdout
    done = handshake(rig, "-tls1_3", talk="GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert "Max Early Data: 0" in done.stdout or "Early data was not sent" in done.stdout, done.stdout
