"""The integrity run: random streams through the three programs and a faulty network, every byte checked."""
import argparse
import pathlib
import random
import shutil
import sys
import tempfile
import time

from .soak_runner import STREAMS, SoakRunner
from .fault_injector import KINDS


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/soak",
        description=__doc__,
        epilog="--bin-dir DIR: the programs, by default $DS_BIN_DIR or build/release/bin",
    )
    parser.add_argument("minutes", nargs="?", type=float, default=2, help="2 by default")
    parser.add_argument("--seed", type=int, help="repeats the choices of another run (their timing is the machine's)")
    parser.add_argument(
        "--streams",
        type=int,
        default=STREAMS,
        help=f"streams at once, {STREAMS} by default; fewer for a machine that has other things to do",
    )
    parser.add_argument("--no-memory", action="store_true", help="do not judge memory (as for builds with ASan)")
    parser.add_argument("--keep", action="store_true", help="keep the logs even when nothing was wrong")
    parser.add_argument("--inject", choices=KINDS, help="damages some connections secretly: this must be found")
    return parser.parse_args()


def main():
    options = parse_arguments()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    directory = pathlib.Path(tempfile.mkdtemp(prefix=f"soak-{seed}-"))
    runner = SoakRunner(directory, seed, options.minutes * 60, options.streams, options.inject)
    begin = time.monotonic()
    try:
        passed = runner.run(with_memory=not options.no_memory)
    except BaseException:
        print(f"the soak itself failed; seed {seed}, logs in {directory}", file=sys.stderr)
        raise
    finally:
        runner.close()
    print(
        f"{'passed' if passed else 'FAILED'} after {time.monotonic() - begin:.0f} s, seed {seed}"
        + ("" if passed and not options.keep else f", logs in {directory}")
    )
    if passed and not options.keep:
        shutil.rmtree(directory)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
