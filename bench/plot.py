"""Draws the ratios of a table to HAProxy and nginx: the median of the rounds, and from the lowest to the highest."""
import argparse
import dataclasses
import html
import json
import math
import pathlib
import statistics
import sys

from tests.harness.programs import ROOT

from .machine import head
from .results import divided, rounded

PEERS = {"haproxy": "HAProxy", "nginx": "nginx"}
WIDTH, LEFT, RIGHT, TOP, LINE = 860, 240, 690, 118, 24  # pixels; the scale runs from LEFT to RIGHT
# Of a mark on light and on dark ground, of titles, of words, of faint lines.
COLOURS = {
    "haproxy": ("#0969da", "#4493f8"),
    "nginx": ("#bc4c00", "#e0823d"),
    "title": ("#1f2328", "#e6edf3"),
    "words": ("#59636e", "#9198a1"),
    "faint": ("#d1d9e0", "#3d444d"),
}


@dataclasses.dataclass(frozen=True)
class Section:
    """What of all rows stands together."""

    title: str
    columns: tuple
    candidate: str = "ours"


CPU = ("CPU s/GiB", "CPU us", "CPU ms")
SECTIONS = [
    Section("CPU of the chain: less is better", CPU),
    Section("CPU with EVP instead of the record plane's own choice: less is better", CPU, "ours-evp"),
    Section("Throughput: more is better", ("MiB/s",)),
    Section("Time, median: less is better", ("p50 us", "p50 ms")),
    Section("Private memory of the chain: less is better", ("chain MiB", "chain KiB")),
]


def lines_of(section, figures):
    """Row name -> peer -> ratios of each round."""
    found = {}
    for name, candidates in figures.items():
        for column in section.columns:
            ours, *theirs = (
                [each[column] for each in candidates.get(candidate, []) if column in each]
                for candidate in (section.candidate, *PEERS)
            )
            ratios = {peer: divided(ours, values) for peer, values in zip(PEERS, theirs)}
            if any(ratios.values()):
                found[name] = {peer: values for peer, values in ratios.items() if values}
    return found


class Scale:
    """Logarithmic: half and twice are equally far from 1. Ends at powers of two, a half and twice at least."""

    def __init__(self, values):
        self.low = min(-1, math.floor(math.log2(min(values))))
        self.high = max(1, math.ceil(math.log2(max(values))))

    def x(self, ratio):
        return LEFT + (math.log2(ratio) - self.low) / (self.high - self.low) * (RIGHT - LEFT)

    def marks(self):
        return [2.0**power for power in range(self.low, self.high + 1)]


def style():
    def rules(which):
        colour = {name: pair[which] for name, pair in COLOURS.items()}
        marks = "".join(f".{peer}{{stroke:{colour[peer]};fill:{colour[peer]}}}" for peer in PEERS)
        return (
            f"text{{fill:{colour['words']}}}.t{{fill:{colour['title']}}}"
            f".grid{{stroke:{colour['faint']}}}.one{{stroke:{colour['words']}}}{marks}"
        )

    return (
        'text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}'
        f".t{{font-weight:600}}line{{stroke-width:1.5}}.grid{{stroke-width:1}}{rules(0)}"
        f"@media (prefers-color-scheme:dark){{{rules(1)}}}"
    )


def text(x, y, words, anchor="start", kind=""):
    classes = f' class="{kind}"' if kind else ""
    return f'<text{classes} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(words)}</text>'


def line(kind, x1, y1, x2, y2):
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def mark(peer, x, y):
    """Of another shape for each peer, for those who see no colours."""
    if peer == "haproxy":
        return f'<circle class="{peer}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    return f'<rect class="{peer}" x="{x - 3.2:.1f}" y="{y - 3.2:.1f}" width="6.4" height="6.4"/>'


def ratio(scale, peer, values, y):
    median = statistics.median(values)
    column = RIGHT + 70 + 70 * list(PEERS).index(peer)
    middle = y - 4 if peer == "haproxy" else y + 4
    return [
        line(peer, scale.x(min(values)), middle, scale.x(max(values)), middle),
        mark(peer, scale.x(median), middle),
        text(column, y + 4, rounded(median), "end"),
    ]


def draw_section(section, lines, scale, y):
    """Its parts and how high they are."""
    end = y + 30 + LINE * len(lines)
    parts = [text(12, y + 12, section.title, kind="t")]
    parts += [line("one" if each == 1 else "grid", scale.x(each), y + 22, scale.x(each), end) for each in scale.marks()]
    parts += [text(scale.x(each), end + 14, f"{each:g}", "middle") for each in scale.marks()]
    for number, (name, ratios) in enumerate(lines.items()):
        middle = y + 26 + LINE * (number + 0.5)
        parts.append(text(LEFT - 12, middle + 4, name, "end"))
        for peer, values in ratios.items():
            parts += ratio(scale, peer, values, middle)
    return parts, end + 42 - y


def draw_head(table):
    rounds = f"{table['effort']['rounds']} rounds, {table['when']}"
    parts = [text(12, 22, "Ours divided by HAProxy and by nginx, in the same round", kind="t")]
    parts += [text(12, 42 + 18 * row, words) for row, words in enumerate([*head(table["machine"]).split("\n"), rounds])]
    for peer, name in PEERS.items():
        x = RIGHT + 70 + 70 * list(PEERS).index(peer)
        parts += [mark(peer, x - 10 - 8 * len(name), TOP - 18), text(x, TOP - 14, name, "end", "t")]
    return parts


def draw(table):
    found = {section: lines_of(section, table["figures"]) for section in SECTIONS}
    found = {section: lines for section, lines in found.items() if lines}
    values = [
        value for lines in found.values() for ratios in lines.values() for each in ratios.values() for value in each
    ]
    if not values:
        sys.exit("scripts/bench plot: no figures of ours beside those of HAProxy or nginx")
    parts, y = draw_head(table), TOP
    for section, lines in found.items():
        drawn, height = draw_section(section, lines, Scale(values), y)
        parts, y = parts + drawn, y + height
    said = "; ".join(
        f"{section.title}: "
        + ", ".join(
            f"{name} {rounded(statistics.median(each))} of {PEERS[peer]}"
            for name, ratios in lines.items()
            for peer, each in ratios.items()
        )
        for section, lines in found.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y:.0f}" width="{WIDTH}" height="{y:.0f}" '
        f'role="img" aria-labelledby="t d">\n<title id="t">Ours divided by HAProxy and by nginx</title>\n'
        f'<desc id="d">{html.escape(said)}</desc>\n<style>{style()}</style>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench plot", description=__doc__)
    parser.add_argument(
        "--json", type=pathlib.Path, default=ROOT / "build/bench/table.json", help="(build/bench/table.json)"
    )
    parser.add_argument(
        "--output", type=pathlib.Path, default=ROOT / "docs/figures/table.svg", help="(docs/figures/table.svg)"
    )
    arguments = parser.parse_args()
    if not arguments.json.exists():
        sys.exit(f"scripts/bench plot: there is no {arguments.json}; scripts/bench makes it")
    svg = draw(json.loads(arguments.json.read_text()))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(svg)


if __name__ == "__main__":
    main()
