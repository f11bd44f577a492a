"""Measures this project side by side with its peers. docs/performance.md says how to read the figures."""
import argparse
import dataclasses
import fnmatch
import functools
import pathlib
import re
import signal
import sys

from tests.harness.programs import BIN, ROOT

from . import rows
from .budget import print_budget
from .chains import CANDIDATES, candidates_of, loopback
from .comparison import compare
from .ours import Threads, ours
from .processes import Trouble
from .machine import describe
from .results import print_table, write_json
from .round_trips import count_all, print_counts
from .table import ROWS
from .workbench import Workbench


def parse_size(text):
    match = re.fullmatch(r"(\d+)(MiB|GiB)", text)
    if not match:
        raise argparse.ArgumentTypeError("a size is a number and MiB or GiB")
    return int(match[1]) * (rows.MIB if match[2] == "MiB" else rows.GIB)


def parse_candidates(text):
    names = text.split(",")
    if set(names) - set(CANDIDATES):
        raise argparse.ArgumentTypeError(f"candidates are {', '.join(CANDIDATES)}")
    return {name: CANDIDATES[name] for name in names}


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description=__doc__,
        epilog="--bin-dir DIR: measures the programs there and builds none; --no-install: installs no missing peers",
    )
    parser.add_argument(
        "mode",
        nargs="?",
        choices=MODES,
        default="table",
        help="table (default): all rows; round-trips: at stream set-up, over slow legs; scale: the hub "
        "with 1, 2 and 4 threads",
    )
    parser.add_argument("--quick", action="store_true", help="two minutes, for finding mistakes rather than figures")
    parser.add_argument("--rounds", type=int, help="how often everything is measured (5; quick: 2; round-trips: 1)")
    parser.add_argument("--rows", metavar="PATTERN", help="only rows like this, as 'bulk * 8'")
    parser.add_argument(
        "--candidates",
        metavar="NAMES",
        type=parse_candidates,
        help=f"some of {','.join(CANDIDATES)}; the first is compared with the others (all that the programs know)",
    )
    parser.add_argument(
        "--size", dest="bytes", type=parse_size, help="of a bulk transfer, each way (512MiB; quick: 64MiB)"
    )
    parser.add_argument("--devices", type=int, help="how many are linked while idle (20000; quick: 1000)")
    parser.add_argument(
        "--stalled",
        dest="stalled_streams",
        type=int,
        metavar="STREAMS",
        help="how many are full while their memory is measured (50; quick: 10)",
    )
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="every figure (build/bench/MODE.json)")
    return parser.parse_args()


def effort_of(arguments):
    effort = rows.QUICK if arguments.quick else rows.FULL
    given = {
        name: getattr(arguments, name)
        for name in ("bytes", "devices", "stalled_streams", "rounds")
        if getattr(arguments, name)
    }
    return dataclasses.replace(effort, **given)


def rows_like(pattern, among):
    found = [row for row in among if pattern is None or fnmatch.fnmatch(row.name, pattern)]
    if not found:
        raise Trouble(f"no row is like {pattern}; there are: {', '.join(row.name for row in among)}")
    return found


def show_table(bench, arguments, effort, among=ROWS, candidates=None, with_hub=False):
    wanted = rows_like(arguments.rows, among)
    results = compare(bench, wanted, candidates or candidates_of(BIN, arguments.candidates), effort)
    machine = describe(BIN)
    print_table(results, wanted, machine, with_hub)
    print_budget(results, wanted, machine["record plane"])
    return results.rows


def show_scale(bench, arguments, effort):
    """The proxies have a thread for each core, so that they do not hold the hub up."""
    candidates = {
        f"threads-{count}": functools.partial(ours, threads=Threads(hub=count, proxies=0)) for count in (1, 2, 4)
    }
    among = [row for row in ROWS if row.hub_column]
    return show_table(bench, arguments, effort, among, candidates, with_hub=True)


def show_round_trips(bench, arguments, _):
    """One round will do, as there is little noise in it."""
    candidates = {
        name: start for name, start in candidates_of(BIN, arguments.candidates).items() if start is not loopback
    }
    counts = count_all(bench, candidates, arguments.rounds or 1)
    print_counts(counts)
    return counts


MODES = {"table": show_table, "round-trips": show_round_trips, "scale": show_scale}


def interrupt(*_):
    """The way out is short, and must be walked to its end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main():
    arguments = parse_arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    effort = effort_of(arguments)
    try:
        with Workbench(BIN) as bench:
            figures = MODES[arguments.mode](bench, arguments, effort)
        write_json(
            arguments.json or ROOT / f"build/bench/{arguments.mode}.json",
            machine=describe(BIN),
            effort=dataclasses.asdict(effort),
            figures=figures,
        )
    except (Trouble, AssertionError) as trouble:  # the latter from tests.harness
        sys.exit(f"scripts/bench: {trouble}")
    except KeyboardInterrupt:
        sys.exit(130)


main()
