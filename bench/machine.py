"""What the figures were made on, and with which record plane: the head of the table."""
import ctypes
import os
import pathlib
import platform
import re
import subprocess

from tests.harness.programs import find_tool, run

from .record_planes import record_plane

FEATURES = ("avx512f", "vaes", "vpclmulqdq")  # which decide how fast a processor does AES-GCM


def openssl(bin_directory):
    """The version of the library that the programs are linked with, not of the command."""
    libraries = run([find_tool("ldd"), bin_directory / "device-proxy"]).stdout
    library = ctypes.CDLL(re.search(r"libcrypto\S* => (\S+)", libraries)[1])
    library.OpenSSL_version.restype = ctypes.c_char_p
    return library.OpenSSL_version(0).decode().removeprefix("OpenSSL ").split()[0]


def processor():
    """The model's name, and what of FEATURES it has; on Arm /proc/cpuinfo knows neither."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    found = {key: re.search(rf"^{key}\s*: (.+)$", text, re.MULTILINE) for key in ("model name", "flags")}
    flags = found["flags"][1].split() if found["flags"] else []
    return {
        "processor": found["model name"][1] if found["model name"] else platform.machine(),
        "features": [feature for feature in FEATURES if feature in flags],
    }


def describe(bin_directory):
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=pathlib.Path(__file__).parent, capture_output=True, text=True
    ).stdout.strip()
    return {
        **processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "congestion control": pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
        "openssl": openssl(bin_directory),
        "record plane": record_plane(bin_directory) or "openssl",
        "commit": commit,
    }


def head(machine):
    """Two lines."""
    features = f" ({', '.join(machine['features'])})" if machine["features"] else ""
    return (
        f"record plane: {machine['record plane']}; OpenSSL {machine['openssl']}; commit {machine['commit']}\n"
        f"{machine['cores']} x {machine['processor']}{features}; Linux {machine['kernel']}, "
        f"{machine['congestion control']}"
    )
