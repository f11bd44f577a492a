"""The measurement itself: rounds of rows, each row with all candidates one after the other."""
import contextlib
import sys

from .chains import running
from .results import Results
from .rows import MIB


def compare(bench, rows, candidates, effort):
    """`candidates`: name -> what starts it."""
    results = Results(list(candidates))
    with contextlib.ExitStack() as stack:
        chains = [stack.enter_context(running(bench, name, start)) for name, start in candidates.items()]
        for chain in chains:
            check_and_warm_up(bench, chain)
        for number in range(effort.rounds):
            for row in [row for row in rows if row.most_rounds is None or number < row.most_rounds]:
                for chain in rotated(chains, number):
                    say(f"round {number + 1} of {effort.rounds}: {row.name}, {chain.name}")
                    results.add(row, chain.name, row.measure(bench, chain, effort))
        bench.check_target()
    say("")
    return results


def check_and_warm_up(bench, chain):
    """Eight streams, both directions at once, every byte of them compared with what was sent."""
    with bench.load(chain, "transfer", 8, 32 * MIB, 32 * MIB, "check") as load:
        load.go()
    bench.check_target()


def rotated(items, by):
    """So that no candidate is always the one that follows another."""
    by %= len(items)
    return items[by:] + items[:by]


def say(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
