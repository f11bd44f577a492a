"""What makes the records of TLS in our programs: what they say of themselves, and how another one is forced on them."""
import dataclasses
import os
import re

from tests.harness.programs import run

from .processes import Trouble


@dataclasses.dataclass(frozen=True)
class RecordPlane:
    environment: dict = dataclasses.field(default_factory=dict)
    settings: str = ""  # a line of YAML, or none
    name: str = ""  # with which what the programs say must begin

    @property
    def env(self):
        return {**os.environ, **self.environment}


AUTO = RecordPlane()
EVP = RecordPlane(environment={"DEVICE_STREAMS_RECORD_PLANE_BACKEND": "evp"}, name="evp")
OFF = RecordPlane(settings="tls: {record_plane: off}\n")


def record_plane(bin_directory, plane=AUTO):
    """As the programs name it; None where they know OpenSSL's only."""
    command = [bin_directory / "device-proxy", "--version", "--verbose"]
    said = run(command, check=False, env=plane.env).stdout
    found = re.search(r"^record plane: (.+)$", said, re.MULTILINE)
    return found and found[1]


def check_known(bin_directory, plane):
    """The programs would ignore a variable that they do not know, and refuse a setting."""
    found = record_plane(bin_directory, plane)
    if found is None:
        raise Trouble(f"the programs in {bin_directory} have no record plane of their own to choose from")
    if not found.startswith(plane.name):
        raise Trouble(f"the programs in {bin_directory} were told to use {plane.name}, and use {found}")
