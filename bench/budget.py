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
    candidate: str = "ours"
    fast: bool = False  # for processors only that have vector instructions for AES

    def is_met(self, figure):
        return figure >= self.value if self.more_is_better else figure <= self.value


BUDGET = [
    Limit("bulk * 1", "CPU s/GiB", 0.53, peers=("haproxy",), fast=True),
    *(Limit(f"bulk * {streams}", "CPU s/GiB", 0.44, peers=("haproxy",), fast=True) for streams in (8, 64)),
    *(Limit(f"bulk * {streams}", "CPU s/GiB", 0.55, fast=True) for streams in (1, 8, 64)),
    *(Limit(f"bulk * {streams}", "CPU s/GiB", 0.75, candidate="ours-evp") for streams in (1, 8, 64)),
    *(Limit(f"bulk * {streams}", "MiB/s", 1.6, more_is_better=True, fast=True) for streams in (1, 8)),
    *(Limit(f"bulk * {streams}", "MiB/s", 2.0, peers=("openssh",), more_is_better=True) for streams in (1, 8)),
    Limit("round trip 1 B", "p50 us", 1.0, peers=("nginx",)),
    Limit("round trip 1 B", "CPU us", 0.95, peers=("nginx",)),
    Limit("open 1 at once", "p50 ms", 1.0, peers=("haproxy",)),
    Limit("open 1 at once", "CPU ms", 1.0, peers=("haproxy",)),
    Limit("open * at once", "hub CPU ms", 2.0, peers=()),  # 500 opens per second and core
    Limit("memory, no streams", "device MiB", 5, peers=()),
    Limit("memory, 50 busy streams", "device MiB", 16, peers=()),
    Limit("memory per idle stream", "chain KiB", 55, peers=()),
    Limit("memory per idle stream", "hub KiB", 22, peers=()),  # two legs
    Limit("memory per stalled stream", "* KiB", 1024, peers=()),
    Limit("memory per stalled stream", "CPU % of a core", 0.5, peers=()),
    Limit("memory per stalled stream", "device MiB with 50", 18, peers=()),
    Limit("idle devices, *", "KiB/device", 14, peers=()),
]


def limits_for(plane):
    """`plane`: the name of the record plane of ours. Where that is EVP, ours is judged by the limits of EVP."""
    if not plane.startswith("evp"):
        return BUDGET
    return [dataclasses.replace(limit, candidate="ours") for limit in BUDGET if not limit.fast]


def print_budget(results, rows, plane):
    """A line for each limit of which everything it needs was measured."""
    limits = limits_for(plane)
    lines = [line for row in rows if row.name in results.rows for line in lines_of(results, row, limits)]
    if lines:
        print("Budget: medians of ours, or of ours divided by the better peer in the same round.\n")
        print("\n".join(lines))


def lines_of(results, row, limits):
    for limit in limits:
        if not fnmatch.fnmatch(row.name, limit.rows):
            continue
        measured = results.rows[row.name].get(limit.candidate, [])
        columns = list(dict.fromkeys(column for figures in measured for column in figures))
        for column in fnmatch.filter(columns, limit.column):
            yield from line_of(results, row, column, limit)


def line_of(results, row, column, limit):
    figures, against = results.of(row, limit.candidate, column), ""
    if limit.peers:
        known = {peer: results.of(row, peer, column) for peer in limit.peers}
        known = {peer: values for peer, values in known.items() if values and all(values)}
        if not known:
            return
        best = (max if limit.more_is_better else min)(known, key=lambda peer: statistics.median(known[peer]))
        figures, against = [a / b for a, b in zip(figures, known[best])], f" x {best}"
    figure = statistics.median(figures)
    sign, verdict = ">=" if limit.more_is_better else "<=", "met" if limit.is_met(figure) else "MISSED"
    whose = row.name if limit.candidate == "ours" else f"{row.name}, {limit.candidate}"
    yield f"{whose:<32}{column:<19}{rounded(figure):>6}   {f'{sign} {rounded(limit.value)}{against}':<20}{verdict}"
