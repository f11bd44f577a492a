"""The rooms of the house: who may include whom, as CMakeLists.txt declares it, and what the code does."""
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = (".cpp", ".hpp")


def declared_rooms():
    """Each folder that is a library, ground floor first, with the folders that it may include."""
    text = re.sub(r"#.*", "", (ROOT / "CMakeLists.txt").read_text())
    rooms = {}
    for call in re.findall(r"^ds_library\((.*?)\)", text, re.MULTILINE | re.DOTALL):
        name, *words = call.split()
        rooms[name] = {word for word in words[:words.index("USES") if "USES" in words else None] if word != "DEPENDS"}
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
        assert folder == room or folder in ROOMS[room], f"{path} includes {include}, but {room} does not declare {folder}"
        assert (ROOT / include).exists() or include in generated, f"{path}: no {include}"
        used.add(folder)
    assert not ROOMS[room] - used, f"{room} declares what it does not use"


def test_all_arrows_point_down():
    below = set()
    for room, uses in ROOMS.items():
        assert uses <= below, f"{room} uses {uses - below}, which stand further up"
        below.add(room)


def test_each_source_is_in_a_room():
    tracked = subprocess.run(["git", "ls-files", "common", "hub", "device-proxy", "service-proxy"], cwd=ROOT, check=True,
                             capture_output=True, text=True).stdout.split()
    homeless = [path for path in tracked if path.endswith(SOURCES) and str(pathlib.PurePath(path).parent) not in ROOMS]
    assert not homeless
