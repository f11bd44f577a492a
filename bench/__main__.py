"""Measures this project side by side with its peers; docs/performance.md says how to read the figures."""
import argparse
import contextlib
import dataclasses
import fnmatch
import pathlib
import re
import signal
import sys

from . import chains, rows
from .processes import Trouble
from .results import Results, print_table
from .workbench import ROOT, Workbench


def parse_size(text):
    match = re.fullmatch(r"(\d+)(MiB|GiB)", text)
    if not match:
        raise argparse.ArgumentTypeError("a size is a number and MiB or GiB")
    return int(match[1]) * (rows.MIB if match[2] == "MiB" else rows.GIB)


def parse_names(text):
    names = text.split(",")
    unknown = set(names) - set(chains.CANDIDATES)
    if unknown:
        raise argparse.ArgumentTypeError(f"candidates are {', '.join(chains.CANDIDATES)}")
    return names


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two minutes, for finding mistakes rather than figures")
    parser.add_argument("--rounds", type=int, help="how often everything is measured (5; quick: 2)")
    parser.add_argument("--rows", metavar="PATTERN", default="*", help="only rows like this, as 'bulk * 8'")
    parser.add_argument("--candidates", metavar="NAMES", type=parse_names, default=list(chains.CANDIDATES),
                        help=f"some of {','.join(chains.CANDIDATES)}; the first is compared with the others")
    parser.add_argument("--size", dest="bytes", type=parse_size, help="of a bulk transfer, each way (512MiB; quick: 64MiB)")
    parser.add_argument("--json", type=pathlib.Path, help="every figure; build/bench/table.json")
    parser.add_argument("--bin-dir", type=pathlib.Path, default=ROOT / "build/release/bin", help="programs to measure; none are built then")
    parser.add_argument("--no-install", action="store_true", help="install no missing peers")
    return parser.parse_args()


def effort_of(arguments):
    effort = rows.QUICK if arguments.quick else rows.FULL
    given = {name: getattr(arguments, name) for name in ("bytes", "rounds") if getattr(arguments, name)}
    return dataclasses.replace(effort, **given)


def rotated(items, by):
    """So that no candidate is always the one that follows another."""
    by %= len(items)
    return items[by:] + items[:by]


def check_and_warm_up(bench, chain):
    """Eight streams, both directions at once, every byte of them compared with what was sent."""
    with bench.load(chain, "transfer", 8, 32 * rows.MIB, 32 * rows.MIB, "check") as load:
        load.go()
    bench.check_target()


def measure(bench, row, name, running, effort):
    if not row.fresh:
        return row.measure(bench, running[name], effort)
    with chains.running(name, bench) as chain:
        return row.measure(bench, chain, effort)


def compare(bench, wanted, candidates, effort):
    results = Results(candidates)
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(chains.running(name, bench)) for name in candidates}
        for chain in running.values():
            check_and_warm_up(bench, chain)
        for number in range(effort.rounds):
            for row in wanted:
                for name in rotated(candidates, number):
                    say(f"round {number + 1} of {effort.rounds}: {row.name}, {name}")
                    results.add(row, name, measure(bench, row, name, running, effort))
        bench.check_target()
    say("")
    return results


def say(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def stop_politely(*_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the way out is short
    raise KeyboardInterrupt


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, stop_politely)
    signal.signal(signal.SIGINT, stop_politely)
    wanted = [row for row in rows.ROWS if fnmatch.fnmatch(row.name, arguments.rows)]
    if not wanted:
        sys.exit(f"scripts/bench: no row is like {arguments.rows}; there are:\n" + "\n".join(row.name for row in rows.ROWS))
    effort = effort_of(arguments)
    try:
        with Workbench(arguments.bin_dir) as bench:
            results = compare(bench, wanted, arguments.candidates, effort)
    except Trouble as trouble:
        sys.exit(f"scripts/bench: {trouble}")
    except KeyboardInterrupt:
        sys.exit(130)
    print_table(results, wanted)
    results.write(arguments.json or ROOT / "build/bench/table.json", dataclasses.asdict(effort))


main()
