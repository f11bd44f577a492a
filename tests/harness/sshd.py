"""A private OpenSSH server: own host key, own authorized key, the account of whoever runs the tests."""
import getpass
import os
import pathlib

from .programs import Program, find_tool, free_port, is_listening, run, wait_until


def needs_pam():
    """Without PAM sshd turns accounts with a locked password down; only root can see it and run sshd with PAM."""
    if os.geteuid() != 0:
        return False
    entry = run(["getent", "shadow", getpass.getuser()], check=False).stdout
    return entry.split(":")[1:2] != [] and entry.split(":")[1].startswith("!")


def prepare_system():
    """What sshd wants to be there when root starts it."""
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)


class PrivateSshd:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.user = getpass.getuser()
        self.key = self.directory / "key"
        for name in ("host_key", "key"):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.directory / name])
        (self.directory / "authorized_keys").write_text((self.directory / "key.pub").read_text())
        (self.directory / "sshd_config").write_text(self._config())
        prepare_system()
        self.program = Program(
            "sshd", [find_tool("sshd"), "-D", "-e", "-f", self.directory / "sshd_config"], self.directory
        )

    def _config(self):
        return "\n".join(
            [
                f"ListenAddress 127.0.0.1:{self.port}",
                f"HostKey {self.directory}/host_key",
                f"AuthorizedKeysFile {self.directory}/authorized_keys",
                "AuthenticationMethods publickey",
                "MaxStartups 200",
                "StrictModes no",
                f"UsePAM {'yes' if needs_pam() else 'no'}",
                "PidFile none",
                "Subsystem sftp internal-sftp",
                "",
            ]
        )

    def start(self):
        self.program.start()
        wait_until(lambda: is_listening(self.port), "sshd to listen")
        return self

    def client_options(self, port):
        """Options common to ssh, scp and sftp for reaching this server through a local port of the tunnel."""
        options = {
            "IdentitiesOnly": "yes",
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": self._known_hosts(port),
        }
        given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["-F", "none", "-i", str(self.key), *given]

    def _known_hosts(self, port):
        """Written once: a session may be reading it."""
        known_hosts = self.directory / f"known_hosts.{port}"
        if not known_hosts.exists():
            host_key = " ".join((self.directory / "host_key.pub").read_text().split()[:2])
            known_hosts.write_text(f"[127.0.0.1]:{port} {host_key}\n")
        return known_hosts

    def ssh(self, port, *command):
        return ["ssh", *self.client_options(port), "-p", str(port), f"{self.user}@127.0.0.1", *command]
