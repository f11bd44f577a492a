"""The budget of docs/performance.md: what ours may cost, by itself or against the better of the peers that count."""
import dataclasses
import fnmatch
import statistics

from .results import rounded

BEST = ("haproxy", "nginx")


@dataclasses.dataclass(frozen=True)
class Limit:
    """Of the rows that are like `rows`: a multiple of the better peer's figure, or a figure where no peer is."""

    rows: str
    column: str
    value: float
    peers: tuple = BEST
    more_is_better: bool = False

    def is_met(self, figure):
        return figure >= self.value if self.more_is_better else figure <= self.value


BUDGET = [
    *(
        limit
        for streams in (1, 8)
        for limit in (
            Limit(f"bulk * {streams}", "CPU s/GiB", 0.70),
            Limit(f"bulk * {streams}", "MiB/s", 1.4, more_is_better=True),
            Limit(f"bulk * {streams}", "MiB/s", 2.0, peers=("openssh",), more_is_better=True),
        )
    ),
    Limit("round trip 1 B", "p50 us", 1.0),
    Limit("open 1 at once", "p50 ms", 1.0, peers=("haproxy",)),
    Limit("open 1 at once", "CPU ms", 1.0, peers=("haproxy",)),
    Limit("open * at once", "hub CPU ms", 2.0, peers=()),  # 500 opens per second and core
    Limit("memory, no streams", "device MiB", 6, peers=()),
    Limit("memory per idle stream", "chain KiB", 90, peers=()),
    Limit("memory per idle stream", "hub KiB", 48, peers=()),  # two legs
    Limit("memory per stalled stream", "* KiB", 1024, peers=()),
    Limit("memory per stalled stream", "CPU % of a core", 0.5, peers=()),
    Limit("memory per stalled stream", "device MiB with 50", 18, peers=()),
    Limit("idle devices, *", "KiB/device", 20, peers=()),
]


def print_budget(results, rows, ours="ours"):
    """A line for each limit of which everything it needs was measured."""
    lines = [line for row in rows if row.name in results.rows for line in lines_of(results, row, ours)]
    if lines:
        print("Budget: medians of ours, or of ours divided by the better peer in the same round.\n")
        print("\n".join(lines))


def lines_of(results, row, ours):
    measured = results.rows[row.name].get(ours, [])
    columns = list(dict.fromkeys(column for figures in measured for column in figures))
    for limit in BUDGET:
        if not fnmatch.fnmatch(row.name, limit.rows):
            continue
        for column in fnmatch.filter(columns, limit.column):
            yield from line_of(results, row, column, limit, ours)


def line_of(results, row, column, limit, ours):
    figures, against = results.of(row, ours, column), ""
    if limit.peers:
        known = {peer: results.of(row, peer, column) for peer in limit.peers}
        known = {peer: values for peer, values in known.items() if values and all(values)}
        if not known:
            return
        best = (max if limit.more_is_better else min)(known, key=lambda peer: statistics.median(known[peer]))
        figures, against = [a / b for a, b in zip(figures, known[best])], f" x {best}"
    figure = statistics.median(figures)
    sign, verdict = ">=" if limit.more_is_better else "<=", "met" if limit.is_met(figure) else "MISSED"
    yield f"{row.name:<27}{column:<19}{rounded(figure):>6}   {f'{sign} {rounded(limit.value)}{against}':<20}{verdict}"
