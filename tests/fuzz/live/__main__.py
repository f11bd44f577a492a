"""Fuzzes a running hub over real TLS: mutated conversations of devices and services, many connections at a time, while
an honest device and an honest service must be served as ever. Ends at the first finding, with the seed."""
import argparse
import itertools
import json
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback

from .attacker import Attacker
from .conversations import ENTRY_POINTS
from .target import Finding, Target

CHECK_EVERY = 2  # seconds


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz --live",
        description=__doc__,
        epilog="--bin-dir DIR: the hub, by default $DS_BIN_DIR or build/asan/bin",
    )
    parser.add_argument("minutes", nargs="?", type=float, default=10, help="for each entry point; 10 by default")
    parser.add_argument("--entry", action="append", choices=ENTRY_POINTS, help="only this entry point; may be repeated")
    parser.add_argument("--seed", type=int, help="repeats the inputs of another run")
    parser.add_argument("--first", type=int, default=0, help="the number of the first execution")
    parser.add_argument("--count", type=int, help="ends after so many executions")
    parser.add_argument("--threads", type=int, default=12, help="connections at a time; 12 by default")
    return parser.parse_args()


class Run:
    """One entry point, for some time."""

    def __init__(self, target, attacker, options):
        self.target, self.attacker, self.options = target, attacker, options
        self.numbers = itertools.count(options.first)
        self.done = 0
        self.over = threading.Event()
        self.failure = None

    def work(self):
        end = self.options.first + self.options.count if self.options.count else None
        try:
            while not self.over.is_set():
                number = next(self.numbers)
                if end is not None and number >= end:
                    return
                self.attacker.execute(number)
                self.done += 1
        except BaseException as failure:  # a mistake of ours also ends the run
            self.failure = self.failure or failure
            self.over.set()

    def run(self):
        before, latencies = self.target.usage(), [self.target.check()]
        begin = time.monotonic()
        threads = [threading.Thread(target=self.work) for _ in range(self.options.threads)]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads) and not self.over.wait(CHECK_EVERY):
                latencies.append(self.target.check())
                if time.monotonic() - begin > self.options.minutes * 60:
                    break
        finally:
            self.over.set()
            for thread in threads:
                thread.join()
        seconds = time.monotonic() - begin
        if self.failure:
            self.target.check_printed()
            raise self.failure
        latencies.append(self.target.check())
        after = self.target.usage()
        return {
            "entry": self.attacker.entry_point,
            "executions": self.done,
            "per_second": round(self.done / seconds, 1),
            "honest_checks": len(latencies),
            "slowest_check_seconds": round(max(latencies), 3),
            "descriptors": [before[0], after[0]],
            "resident_mib": [before[1], after[1]],
            "answers": dict(self.attacker.outcomes.most_common(12)),
        }


def keep_inputs(attacker, directory):
    folder = directory / "last-inputs"
    folder.mkdir(exist_ok=True)
    for number, content in attacker.recent:
        (folder / f"{attacker.entry_point}-{number}").write_bytes(content)


def main():
    options = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the hub must not outlive us
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    directory = pathlib.Path(tempfile.mkdtemp(prefix=f"fuzz-live-{seed}-"))
    target = Target(directory / "rig")
    attacker = None
    try:
        target.start()
        descriptors, _ = target.usage()
        for entry_point in options.entry or ENTRY_POINTS:
            print(f"=== {entry_point}, {options.minutes:g} min, seed {seed}", flush=True)
            attacker = Attacker(target, entry_point, seed)
            print(json.dumps(Run(target, attacker, options).run()), flush=True)
        attacker = None  # whose leftovers they would be is not known
        target.check_given_back(descriptors + 1)
        target.stop()
    except BaseException as failure:
        print(f"FAILED with seed {seed}, logs and the last inputs in {directory}", file=sys.stderr)
        if attacker:
            keep_inputs(attacker, directory)
            print(
                f"at {attacker.entry_point}, execution {max((n for n, _ in attacker.recent), default=0)} or a little "
                f"before; again: --entry {attacker.entry_point} --seed {seed}",
                file=sys.stderr,
            )
        if not isinstance(failure, Finding):
            raise
        traceback.print_exception(failure)
        return 1
    finally:
        target.hub.stop()
        target.local.close()
    shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
