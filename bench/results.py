"""The figures of all rounds, and how they are shown: medians, and ratios of ours to each peer round by round."""
import json
import os
import pathlib
import platform
import statistics
import subprocess
import time


class Results:
    def __init__(self, candidates):
        self.candidates = candidates
        self.rows = {}  # row name -> candidate -> figures of each round

    def add(self, row, candidate, figures):
        self.rows.setdefault(row.name, {}).setdefault(candidate, []).append(figures)

    def of(self, row, candidate, column):
        return [figures[column] for figures in self.rows[row.name].get(candidate, []) if column in figures]


def write_json(path, **content):
    path.parent.mkdir(parents=True, exist_ok=True)
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    path.write_text(json.dumps({"when": when, "machine": machine(), **content}, indent=2) + "\n")


def machine():
    models = [
        line.split(":")[1].strip()
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=pathlib.Path(__file__).parent, capture_output=True, text=True
    ).stdout.strip()
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "commit": commit,
    }


def rounded(value):
    """At least three digits that mean something."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def ratios(ours, theirs):
    each = [a / b for a, b in zip(ours, theirs) if b]
    if not each:
        return ""
    return f"{rounded(statistics.median(each))} {spread(each)}"


def spread(values):
    return f"({rounded(min(values))}..{rounded(max(values))})"


def print_table(results, rows, with_hub=False):
    """One block per row; the first candidate is what the others are compared with."""
    first, *_ = results.candidates
    print(
        f"\nMedians. In brackets: for {first} the lowest and highest round; for the others {first} divided by them, "
        "as the\nmedian of the rounds and (lowest..highest). Below 1 is less CPU, time or memory; above 1 is more "
        "throughput.\n"
    )
    for row in rows:
        if row.name in results.rows:
            print_row(results, row, [*row.columns, row.hub_column] if with_hub else row.columns, first)


def print_row(results, row, columns, first):
    print(f"{row.name:<26}" + "".join(f"{column:<28}" for column in columns).rstrip())
    for candidate in results.candidates:
        cells = [cell(results, row, candidate, column, first) for column in columns]
        if any(cells):
            print(f"  {candidate:<24}" + "".join(f"{text:<28}" for text in cells).rstrip())
    print()


def cell(results, row, candidate, column, first):
    values = results.of(row, candidate, column)
    if not values:
        return ""
    compared = spread(values) if candidate == first else ratios(results.of(row, first, column), values)
    return f"{rounded(statistics.median(values)):<7}{compared}"
