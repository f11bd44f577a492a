"""scripts/bench must not rot between two measurements: it runs, counts its bytes and leaves nothing behind."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import xml.etree.ElementTree

import pytest
from bench import far, machine, record_planes
from bench.budget import print_budget
from bench.chains import CANDIDATES, PLANES, candidates_of, running
from bench.memory import watched
from bench.plot import draw
from bench.processes import Trouble
from bench.results import Results
from bench.rows import Bulk
from bench.workbench import Load, Workbench
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
    assert re.search(r"^record plane: .+; OpenSSL 3[.0-9]+; commit ", output, re.MULTILINE)
    figures = json.loads((folder / "figures.json").read_text())["figures"]["bulk up 8"]
    assert figures["ours"][0]["CPU s/GiB"] > 0 and figures["loopback"][0]["MiB/s"] > 0
    assert not list(folder.glob("ds-bench-*"))


@pytest.mark.parametrize(
    "words",
    [
        ("scale", "--rows", "bulk up 8"),
        ("table", "--rows", "memory per stalled stream"),
        ("table", "--rows", "memory, 50 busy streams"),
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


def need_wire():
    if missing := far.why_not():
        pytest.skip(f"no wire between namespaces here: {missing}")


@pytest.mark.parametrize("rows", ["open 1 at once", "bulk up 1, 100 ms legs"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_whatever_ends_it_nothing_is_left_behind(folder, rows, number):
    if "legs" in rows:
        need_wire()
    run = bench(folder, "--rounds", "1000", "--rows", rows)
    wait_until(lambda: len(processes_of(folder)) >= 5, "the chain to run")
    if "legs" in rows:
        wait_until(lambda: "ds-delay" in names_of(processes_of(folder)), "the wire")
    # Whatever is just being started when the suite is killed has not yet asked to die with it.
    wait_until(lambda: "ds-load" in names_of(processes_of(folder)), "the load")
    run.send_signal(number)
    run.communicate(timeout=60)
    assert run.returncode == (130 if number == signal.SIGINT else -number)
    wait_until(lambda: not processes_of(folder), "what was just being started to end with the suite")
    assert number == signal.SIGKILL or not list(folder.glob("ds-bench-*"))


def names_of(pids):
    names = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            names.add(pathlib.Path(f"/proc/{pid}/comm").read_text().strip())
    return names


def test_a_long_wire_is_late_and_changes_nothing():
    need_wire()
    with Workbench(BIN) as bench, far.long_wire(bench) as wire:
        address = f"{wire.address('hub')}:{bench.target_port}"
        with Load(bench.bin / "ds-load", "ping", address, 1, 3) as load:
            assert all(seconds >= 0.1 for seconds in load.go())
        with Load(bench.bin / "ds-load", "transfer", address, 8, 32 << 20, 32 << 20, "check") as load:
            load.go()


def test_a_row_over_long_legs_is_measured_or_says_why_not(folder):
    need_wire()
    run = bench(folder, "--quick", "--rounds", "1", "--rows", "bulk * 1, *", "--size", "8MiB")
    output, errors = run.communicate(timeout=240)
    assert run.returncode == 0, errors
    for way in ("up", "down"):
        row = f"bulk {way} 1, 100 ms legs"
        (figures,) = json.loads((folder / "figures.json").read_text())["figures"][row]["ours"]
        if figures:
            assert 0 < figures["MiB/s"] < 8 / 0.2, "no byte crosses both legs and comes back sooner"
        else:  # a machine with other things to do
            assert "no rows over legs" in errors and row not in output


@pytest.mark.parametrize("name, setting", [("haproxy", r"tune\.bufsize (\d+)"), ("nginx", r"proxy_buffer_size (\d+);")])
def test_memory_is_measured_with_the_buffers_that_peers_come_with(name, setting):
    def buffers_of(chain):
        configs = [path for path in chain.processes.folder.rglob("*") if path.suffix in (".cfg", ".conf")]
        return [int(re.search(setting, path.read_text())[1]) for path in configs]

    with Workbench(BIN) as bench, running(bench, name, CANDIDATES[name]) as chain, chain.lean(bench) as lean:
        assert buffers_of(chain) == [32768] * 3
        assert buffers_of(lean) == [16384] * 3


class Waning:
    """Processes that have had their most memory when a look at them has been waited for."""

    def __init__(self):
        self._sizes, self.seen = iter([5, 7, 6]), threading.Event()

    def private_bytes(self):
        size = next(self._sizes, None)
        if size is None:
            self.seen.set()
        return {"hub": size or 1}


def test_memory_of_busy_streams_is_the_most_that_there_was():
    processes = Waning()
    with watched(processes, interval=0) as peaks:
        assert processes.seen.wait(60)
    assert peaks == {"hub": 7}


def programs_that_say(folder, words):
    program = folder / "device-proxy"
    program.write_text(f"#!/bin/sh\n{words}\n")
    program.chmod(0o755)
    return folder


SAYS_PLANE = "echo device-proxy 0.1.0; echo record plane: ${DEVICE_STREAMS_RECORD_PLANE_BACKEND:-ipsec-mb 1.3.0}"


def test_candidates_are_what_the_programs_know(folder):
    programs = programs_that_say(folder, SAYS_PLANE)
    assert record_planes.record_plane(programs) == "ipsec-mb 1.3.0"
    assert list(candidates_of(programs)) == list(CANDIDATES)
    assert list(candidates_of(programs, {name: CANDIDATES[name] for name in PLANES})) == list(PLANES)


def test_candidates_have_no_record_plane_that_the_programs_do_not_know(folder):
    programs = programs_that_say(folder, "echo device-proxy 0.1.0")
    assert set(CANDIDATES) - set(candidates_of(programs)) == set(PLANES)


@pytest.mark.parametrize(
    "says, name",
    [
        ("echo device-proxy 0.1.0", "ours-off"),
        ("echo unknown option >&2; exit 64", "ours-evp"),
        ("echo record plane: ipsec-mb 1.3.0", "ours-evp"),  # whatever is asked for
    ],
)
def test_a_candidate_that_the_programs_cannot_be_is_refused(folder, says, name):
    with pytest.raises(Trouble):
        candidates_of(programs_that_say(folder, says), {name: CANDIDATES[name]})


MACHINE = {
    "processor": "Processor <1>",
    "features": ["vaes"],
    "cores": 2,
    "kernel": "6.1",
    "congestion control": "cubic",
    "openssl": "3.0.19",
    "record plane": "ipsec-mb 1.3.0",
    "commit": "abc",
}


def results_of(**cpu):
    """One row; of each candidate the CPU in each round."""
    results, row = Results(list(cpu)), Bulk("up", 8)
    for candidate, rounds in cpu.items():
        for seconds in rounds:
            results.add(row, candidate.replace("_", "-"), {"CPU s/GiB": seconds})
    return results, row


@pytest.mark.parametrize(
    "plane, limits",
    [("ipsec-mb 1.3.0", ["0.44", "0.55", "0.75"]), ("openssl", ["0.44", "0.55", "0.75"]), ("evp", ["0.75"])],
)
def test_where_the_record_plane_is_evp_only_its_limit_counts(capsys, plane, limits):
    results, row = results_of(ours=[0.5, 0.5], ours_evp=[0.8, 0.8], haproxy=[1, 1], nginx=[2, 2])
    print_budget(results, [row], plane)
    judged = re.findall(
        r"^(.+?) +CPU s/GiB +([0-9.]+) +<= ([0-9.]+) x haproxy +(met|MISSED)$", capsys.readouterr()[0], re.M
    )
    assert [limit for _, _, limit, _ in judged] == limits
    whose = {limit: (name, verdict) for name, _, limit, verdict in judged}
    expected = ("bulk up 8", "met") if plane == "evp" else ("bulk up 8, ours-evp", "MISSED")
    assert whose["0.75"] == expected


def test_the_plot_has_each_ratio_with_its_lowest_and_highest_round():
    results, _ = results_of(ours=[1, 1, 1], haproxy=[1, 2, 4], nginx=[2, 2, 2])
    svg = draw({"when": "now", "machine": MACHINE, "effort": {"rounds": 3}, "figures": results.rows})
    root = xml.etree.ElementTree.fromstring(svg)
    space = {"s": "http://www.w3.org/2000/svg"}
    whisker = root.find("s:line[@class='haproxy']", space)
    _, dot = root.findall("s:circle[@class='haproxy']", space)  # the first is the legend's
    ends = [float(whisker.get(name)) for name in ("x1", "x2")]
    assert ends[0] < float(dot.get("cx")) < ends[1]
    assert ends[1] - float(dot.get("cx")) == pytest.approx(float(dot.get("cx")) - ends[0], abs=0.2), "1/4, 1/2, 1"
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "0.50" in texts and "bulk up 8" in texts and any("Processor <1>" in each for each in texts)
    assert "prefers-color-scheme:dark" in svg


def test_a_plot_of_peers_alone_is_refused(folder):
    results, _ = results_of(haproxy=[1], nginx=[2])
    table = {"when": "now", "machine": MACHINE, "effort": {"rounds": 1}, "figures": results.rows}
    (folder / "table.json").write_text(json.dumps(table))
    command = [ROOT / "scripts/bench", "plot", "--json", folder / "table.json", "--output", folder / "table.svg"]
    assert "no figures of ours" in subprocess.run(command, capture_output=True, text=True).stderr
    assert not (folder / "table.svg").exists()


def test_the_head_names_processor_kernel_and_openssl():
    found = machine.describe(BIN)
    assert found["record plane"] == (record_planes.record_plane(BIN) or "openssl")
    text = machine.head(found)
    assert found["processor"] in text and os.uname().release in text
    assert re.fullmatch(r"3\.[0-9]+\.[0-9]+\S*", found["openssl"])
