"""The chain of OpenSSH: all streams go through one connection on each leg."""
import getpass

from tests.harness.programs import find_tool, free_port, run
from tests.harness.sshd import needs_pam, prepare_system


def openssh(bench, processes):
    """`ssh -R` of the device and `ssh -L` of the service meet in an sshd."""
    sshd_port, middle, port = free_port(), free_port(), free_port()
    start_sshd(processes, bench.places.address("hub"), sshd_port)
    start_ssh(bench, processes, "device", sshd_port, middle, "-R", f"127.0.0.1:{middle}:127.0.0.1:{bench.target_port}")
    start_ssh(bench, processes, "service", sshd_port, port, "-L", f"127.0.0.1:{port}:127.0.0.1:{middle}")
    return port


def start_sshd(processes, address, port):
    folder = processes.folder
    for name in ("host_key", "key"):
        run([find_tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", folder / name])
    (folder / "sshd_config").write_text(
        f"""\
ListenAddress {address}:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
StrictModes no
UsePAM {"yes" if needs_pam() else "no"}
PidFile none
"""
    )
    prepare_system()
    processes.start_listening("hub", port, find_tool("sshd"), "-D", "-e", "-f", folder / "sshd_config")


def start_ssh(bench, processes, role, sshd_port, port, *forward):
    folder, host = processes.folder, bench.places.leg(role, sshd_port)
    known_hosts = folder / f"known_hosts-{role}"
    known_hosts.write_text(f"[{host}]:{sshd_port} {(folder / 'host_key.pub').read_text()}")
    processes.start_listening(
        role,
        port,
        find_tool("ssh"),
        "-F",
        "none",
        "-i",
        folder / "key",
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "BatchMode=yes",
        "-o",
        f"UserKnownHostsFile={known_hosts}",
        "-o",
        "ExitOnForwardFailure=yes",
        "-c",
        "aes128-gcm@openssh.com",
        "-N",
        *forward,
        "-p",
        sshd_port,
        f"{getpass.getuser()}@{host}",
        where="hub" if "-R" in forward else None,
    )
