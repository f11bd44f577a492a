"""Counts what happened, and judges the three programs by it."""
import collections

from .pattern import describe_word

MIB = 1 << 20
SPARE_DESCRIPTORS = 8  # warm connections to the hub, and the hub's own ends of them
SPARE_MEMORY = 2 * MIB  # on top of an eighth: which streams meet is chance


class Tally:
    def __init__(self):
        self.streams = 0
        self.endings = collections.Counter()
        self.faults = collections.Counter()  # (leg, kind) -> how often it struck
        self.missed_faults = 0  # the stream was over before, or others had carried as many bytes all the time
        self.stalls = 0
        self.spare_connections = 0
        self.bytes = {"up": 0, "down": 0}
        self.wrong_bytes = 0
        self.bad = collections.Counter()
        self.failures = []

    def count(self, stream):
        plan, server = stream.plan, stream.server()
        self.streams += 1
        self.endings["cut by a fault" if stream.fired and plan.fault.kills else plan.ending] += 1
        self.missed_faults += bool(plan.fault and not stream.fired)
        self.stalls += plan.stalls
        self.spare_connections += stream.spare_connections()
        self.bytes["down"] += stream.client.received
        self.bytes["up"] += server.received if server else 0
        self.wrong_bytes += sum(end.checker.wrong_bytes for end in (stream.client, *stream.servers))
        found = stream.judge()
        for kind, _ in found:
            self.bad[kind] += 1
        if found:
            self.failures.append("\n    ".join([stream.describe(), *(f"{kind}: {text}" for kind, text in found)]))

    def fail(self, kind, text):
        """About something that belongs to no stream."""
        self.bad[kind] += 1
        self.failures.append(f"{kind}: {text}")

    def fail_stranger(self, first):
        self.fail("crossed", f"a connection begins with {describe_word(first)}")


class Samples:
    """Descriptors and memory of each program over time."""

    def __init__(self):
        self.baseline = {}
        self.rows = []  # (share of the run, usage by program)
        self.end = {}

    def add(self, share, usage):
        self.rows.append((share, usage))

    def peak(self, name, what, share=1.0):
        values = (getattr(usage[name], what) for when, usage in self.rows if when <= share and name in usage)
        return max(values, default=0)

    def judge(self, names, with_memory):
        """Sentences; none when all is flat."""
        found = []
        for name in names:
            if name not in self.end or name not in self.baseline:
                found.append(f"{name} is gone")
                continue
            begin, end = self.baseline[name], self.end[name]
            if end.descriptors > begin.descriptors + SPARE_DESCRIPTORS:
                found.append(f"{name} has {end.descriptors} descriptors at the end, {begin.descriptors} after warm-up")
            early = self.peak(name, "memory", 0.2)
            if with_memory and end.memory > early + early // 8 + SPARE_MEMORY:
                found.append(
                    f"{name} has {end.memory / MIB:.1f} MiB at the end, {early / MIB:.1f} at most in the " "first fifth"
                )
        return found

    def lines(self, names):
        for name in names:
            begin, end = self.baseline.get(name), self.end.get(name)
            if not begin or not end:
                continue
            yield (
                f"  {name:14} descriptors {begin.descriptors} after warm-up, {self.peak(name, 'descriptors')} peak, "
                f"{end.descriptors} end; memory {begin.memory / MIB:.1f} MiB after warm-up, "
                f"{self.peak(name, 'memory', 0.2) / MIB:.1f} peak of the first fifth, "
                f"{self.peak(name, 'memory') / MIB:.1f} peak, {end.memory / MIB:.1f} end"
            )


def amount(size):
    return f"{size / (1 << 30):.2f} GiB" if size >= 1 << 30 else f"{size / MIB:.1f} MiB"


def listed(counter):
    return ", ".join(f"{count} {name}" for name, count in sorted(counter.items())) or "none"


def summary(tally, samples, names, run):
    """`run` is [(name, value)] of what the run was."""
    bad = tally.bad
    faults = {f"{kind} on the {leg} leg": count for (leg, kind), count in tally.faults.items()}
    yield "; ".join(f"{name} {value}" for name, value in run)
    yield f"streams:    {tally.streams}: {listed(tally.endings)}"
    yield f"bytes:      {amount(tally.bytes['up'])} up, {amount(tally.bytes['down'])} down, all checked"
    yield (
        f"faults:     {sum(tally.faults.values())}: {listed(faults)} ({tally.missed_faults} more were planned "
        f"but did not strike); readers stalled {tally.stalls} times"
    )
    yield (
        f"wrong:      {tally.wrong_bytes} bytes; streams with altered {bad['altered']}, lost {bad['lost']}, "
        f"repeated {bad['repeated']}, surplus {bad['surplus']} bytes"
    )
    yield (
        f"            {bad['crossed']} crossed, {bad['truncated']} truncated with a clean end, "
        f"{bad['broken']} broken without a cause, {bad['hung']} hung, {bad['unreached']} that reached no server, "
        f"{bad['doubled']} doubled"
    )
    yield f"harmless:   {tally.spare_connections} connections to services for requests that were repeated"
    yield from samples.lines(names)
