"""scripts/bench must not rot between two measurements: it runs, counts its bytes and leaves nothing behind."""
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile

import pytest
from tests.harness.programs import BIN, ROOT, wait_until

pytestmark = pytest.mark.no_sanitizer  # only such builds have the load tools


@pytest.fixture
def folder():
    """Has a short name, as sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="b") as name:
        yield pathlib.Path(name)


def bench(folder, *words):
    command = [
        ROOT / "scripts/bench",
        "--no-install",
        "--bin-dir",
        BIN,
        "--candidates",
        "ours,loopback",
        "--json",
        folder / "figures.json",
        *words,
    ]
    return subprocess.Popen(
        [str(word) for word in command],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**outside_pytest(), "TMPDIR": str(folder)},
    )


def outside_pytest():
    """A bench is no worker of pytest, and takes no ports of one."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_XDIST_WORKER"}


def processes_of(folder):
    """Whatever has the folder in its environment, as everything has that the suite starts."""
    found = []
    for environment in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            found += [environment.parent.name] if f"TMPDIR={folder}".encode() in environment.read_bytes() else []
        except OSError:
            continue
    return found


def test_a_short_run_gives_figures(folder):
    run = bench(folder, "--quick", "--rounds", "1", "--rows", "bulk up [18]", "--size", "8MiB")
    output, errors = run.communicate(timeout=120)
    assert run.returncode == 0, errors
    assert "bulk up 1" in output
    figures = json.loads((folder / "figures.json").read_text())["figures"]["bulk up 8"]
    assert figures["ours"][0]["CPU s/GiB"] > 0 and figures["loopback"][0]["MiB/s"] > 0
    assert not list(folder.glob("ds-bench-*"))


@pytest.mark.parametrize(
    "words",
    [
        ("scale", "--rows", "bulk up 8"),
        ("table", "--rows", "memory per stalled stream"),
        ("table", "--rows", "idle devices, mqtt", "--devices", "20"),
    ],
)
def test_each_kind_of_row_is_measured(folder, words):
    run = bench(folder, *words, "--quick", "--rounds", "1", "--size", "8MiB")
    _, errors = run.communicate(timeout=120)
    assert run.returncode == 0, errors
    assert json.loads((folder / "figures.json").read_text())["figures"]


def test_a_figure_with_a_limit_is_judged(folder):
    run = bench(folder, "--quick", "--rounds", "1", "--rows", "memory, no streams")
    output, errors = run.communicate(timeout=120)
    assert run.returncode == 0, errors
    judged = re.search(r"^memory, no streams +device MiB +([0-9.]+) +<= ([0-9.]+) +(met|MISSED)$", output, re.M)
    assert (float(judged[1]) <= float(judged[2])) == (judged[3] == "met")


def test_ctrl_c_leaves_nothing_behind(folder):
    run = bench(folder, "--rounds", "1000", "--rows", "open 1 at once")
    wait_until(lambda: len(processes_of(folder)) >= 5, "the chain to run")
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode == 130
    wait_until(lambda: not processes_of(folder), "what was just being started to end with the suite")
    assert not list(folder.glob("ds-bench-*"))
