"""The rooms of the house: who may include whom, as CMakeLists.txt declares it, and what the code does."""
import pathlib
import re
import subprocess

import pytest
from tests.harness.programs import ROOT

pytestmark = pytest.mark.release_only  # reads sources

SOURCES = (".cpp", ".hpp")


def declared_rooms():
    """Each folder that is a library, ground floor first, with the folders that it may include."""
    text = re.sub(r"#.*", "", (ROOT / "CMakeLists.txt").read_text())
    rooms = {}
    for call in re.findall(r"^ds_library\((.*?)\)", text, re.MULTILINE | re.DOTALL):
        name, *words = call.split()
        rooms[name] = {word for word in words[: words.index("USES") if "USES" in words else None] if word != "DEPENDS"}
    return rooms


ROOMS = declared_rooms()


def includes_of(room):
    """(file, included folder) for each include of a file of ours."""
    for path in sorted((ROOT / room).iterdir()):
        if path.suffix in SOURCES:
            for include in re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE):
                yield path.relative_to(ROOT), include, str(pathlib.PurePath(include).parent)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_includes_what_it_declares_and_nothing_else(room):
    generated = {"common/base/version.hpp"}
    used = set()
    for path, include, folder in includes_of(room):
        assert (
            folder == room or folder in ROOMS[room]
        ), f"{path} includes {include}, but {room} does not declare {folder}"
        assert (ROOT / include).exists() or include in generated, f"{path}: no {include}"
        used.add(folder)
    assert not ROOMS[room] - used, f"{room} declares what it does not use"


def test_all_arrows_point_down():
    below = set()
    for room, uses in ROOMS.items():
        assert uses <= below, f"{room} uses {uses - below}, which stand further up"
        below.add(room)


def test_each_source_is_in_a_room():
    tracked = subprocess.run(
        ["git", "ls-files", "common", "hub", "device-proxy", "service-proxy"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    homeless = [path for path in tracked if path.endswith(SOURCES) and str(pathlib.PurePath(path).parent) not in ROOMS]
    assert not homeless


# Of the system, and not of C++ or of a library that many systems have.
SYSTEM_HEADER = re.compile(
    r"^#include <((?:sys|netinet|arpa|linux|systemd|asio/posix|asio/local)/[^>]+"
    r"|(?:unistd|fcntl|poll|netdb|pwd|grp|signal|malloc)\.h)>",
    re.MULTILINE,
)
SYSTEM_FILE = re.compile(r"(.+)_(linux|posix|windows|none)\.cpp")
# What they ask is there in other words on other systems (isatty, fstat), or only asked on one kind of CPU.
EXCEPTIONS = {"common/base/log.cpp", "common/tls/tls_context.cpp"}


def portable_files():
    return subprocess.run(
        ["git", "ls-files", "common", "device-proxy", "service-proxy"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()


def test_only_files_of_a_system_include_its_headers():
    for path in portable_files():
        if path.endswith(SOURCES) and not SYSTEM_FILE.fullmatch(path) and path not in EXCEPTIONS:
            assert not SYSTEM_HEADER.findall((ROOT / path).read_text()), path


def test_the_list_for_a_port_is_complete():
    there = {}
    for match in filter(None, map(SYSTEM_FILE.fullmatch, portable_files())):
        there.setdefault(match[1], set()).add(match[2])
    rows = re.findall(
        r"^\| `(common/\S+)_\*` \| .+ \| ([a-z, ]+) \|$", (ROOT / "docs/development.md").read_text(), re.MULTILINE
    )
    assert {files: set(systems.split(", ")) for files, systems in rows} == there
