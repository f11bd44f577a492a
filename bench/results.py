"""The figures of all rounds, and how they are shown: medians, and ratios of ours to each peer round by round."""
import json
import statistics
import time

from .machine import head


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
    path.write_text(json.dumps({"when": when, **content}, indent=2) + "\n")


def rounded(value):
    """At least three digits that mean something."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def divided(ours, theirs):
    """Round by round."""
    return [a / b for a, b in zip(ours, theirs) if b]


def ratios(ours, theirs):
    each = divided(ours, theirs)
    if not each:
        return ""
    return f"{rounded(statistics.median(each))} {spread(each)}"


def spread(values):
    return f"({rounded(min(values))}..{rounded(max(values))})"


def print_table(results, rows, machine, with_hub=False):
    """One block per row; the first candidate is what the others are compared with."""
    first, *_ = results.candidates
    print(
        f"\n{head(machine)}\n\nMedians. In brackets: for {first} the lowest and highest round; for the others {first} "
        "divided by them, as the\nmedian of the rounds and (lowest..highest). Below 1 is less CPU, time or memory; "
        "above 1 is more throughput.\n"
    )
    for row in rows:
        if row.name in results.rows:
            print_row(results, row, [*row.columns, row.hub_column] if with_hub else row.columns, first)


def print_row(results, row, columns, first):
    lines = {
        candidate: [cell(results, row, candidate, column, first) for column in columns]
        for candidate in results.candidates
    }
    if not any(map(any, lines.values())):
        return
    print(f"{row.name:<26}" + "".join(f"{column:<28}" for column in columns).rstrip())
    for candidate, cells in lines.items():
        if any(cells):
            print(f"  {candidate:<24}" + "".join(f"{text:<28}" for text in cells).rstrip())
    print()


def cell(results, row, candidate, column, first):
    values = results.of(row, candidate, column)
    if not values:
        return ""
    compared = spread(values) if candidate == first else ratios(results.of(row, first, column), values)
    return f"{rounded(statistics.median(values)):<7}{compared}"
