"""What all chains share: binaries, a scratch folder, certificates, the target that streams end at, the load."""
import collections
import contextlib
import os
import pathlib
import subprocess
import tempfile

from tests.harness.programs import free_port

from .hub import Hub
from .places import Loopback
from .processes import Processes, Trouble, dying_with_parent


def scratch_folder():
    """In memory where there is such a place, so that no disk has part in the figures."""
    in_memory = "/dev/shm" if "TMPDIR" not in os.environ and os.access("/dev/shm", os.W_OK) else None
    return tempfile.TemporaryDirectory(prefix="ds-bench-", dir=in_memory)


class Workbench:
    host = "hub.example"  # in all certificates; nobody looks it up

    def __init__(self, bin_directory):
        self.bin = bin_directory
        self.target_port = free_port()
        self.places = Loopback()
        self._folders = collections.Counter()
        self._exit = contextlib.ExitStack()

    def __enter__(self):
        with self._exit as stack:
            self.scratch = pathlib.Path(stack.enter_context(scratch_folder()))
            self._make_certificates()
            target = stack.enter_context(Processes(self.scratch))
            target.start_listening("target", self.target_port, self.bin / "ds-target", self.target_port)
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._exit.close()

    def _make_certificates(self):
        """Those that a hub of ours makes serve all candidates: ECDSA P-256 and a private CA."""
        hub = Hub(self, self.scratch / "certificates")
        self.ca, self.certificate, self.key = hub.ca, hub.folder / "hub.pem", hub.folder / "hub.key"
        self.certificate_with_key = self.scratch / "certificate-with-key.pem"
        self.certificate_with_key.write_text(self.certificate.read_text() + self.key.read_text())

    def new_folder(self, name):
        self._folders[name] += 1
        folder = self.scratch / f"{name}-{self._folders[name]}"
        folder.mkdir()
        return folder

    def load(self, chain, work, *arguments):
        return Load(self.bin / "ds-load", work, chain.port, *arguments)

    def check_target(self):
        """The far end noticed every wrong, missing or superfluous byte."""
        errors = (self.scratch / "target.log").read_text()
        if errors:
            raise Trouble(errors[:2000])


class Load:
    """One run of ds-load: connected from __enter__ on, at work during go(), closed by __exit__."""

    def __init__(self, *command):
        self._command = [str(word) for word in command]

    def __enter__(self):
        self._process = subprocess.Popen(
            dying_with_parent(*self._command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            self._read_line()
        except BaseException:
            self._process.kill()
            self._process.communicate()
            raise
        return self

    def go(self):
        """The figures that it printed: seconds."""
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return [float(word) for word in self._read_line().split()]

    def _read_line(self):
        line = self._process.stdout.readline()
        if not line:
            raise Trouble(f"{' '.join(self._command[1:])}: {self._process.communicate()[1].strip()}")
        return line

    def __exit__(self, kind, *_):
        if kind:
            self._process.kill()
        errors = self._process.communicate()[1]
        if not kind and self._process.returncode != 0:
            raise Trouble(f"{' '.join(self._command[1:])}: {errors.strip()}")
