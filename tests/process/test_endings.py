"""The table of endings: what the client and the server of a stream get and see, however it ends, in both modes.

`pytest -s` prints the tables as they were observed. Their last column is of two ends that begin to read only when all
is over.
"""
import dataclasses
import time

import pytest
from tests.harness.ends import CLEAN, GIGABYTE, RESET
from tests.harness.laboratory import Laboratory
from tests.harness.plain import PlainLaboratory
from tests.harness.programs import wait_until

ASKED, REPLIED = 256 * 1024, 1024 * 1024  # what clients and servers send
LAST = 1024
FILL = 1024 * 1024  # more than one end's kernel holds unread, less than it and the proxy before it do
LATE = 2 * REPLIED  # more than the reader's kernel holds for it
OWN = "its own RST"


# --- steps of a stream's life; each returns when it is done


def exchange(stream, lab):
    """Bytes go both ways and have arrived when it returns, so that the counts are exact."""
    stream.client.send(ASKED)
    stream.server.send(REPLIED)
    stream.server.wait_received(ASKED)
    stream.client.wait_received(REPLIED)


def flood(stream, lab):
    """Both ends send without end."""
    stream.client.send(GIGABYTE)
    stream.server.send(GIGABYTE)
    stream.server.wait_received(REPLIED)
    stream.client.wait_received(REPLIED)


def flood_back(stream, lab):
    """The client has ended its direction, the server sends without end."""
    stream.client.send(ASKED)
    fin("client")(stream, lab)
    stream.server.send(GIGABYTE)
    stream.client.wait_received(REPLIED)


def fill(stream, lab):
    """Nobody reads, and everything has come as far as to the proxy before the one who is to read it."""
    for end in stream.ends():
        end.stop_reading()
    for end in stream.ends():
        end.send(FILL)
    for end in stream.ends():
        wait_until(lambda: end.unread() == FILL, lambda: f"{FILL} unread bytes, not {end.unread()}: {end.describe()}")


def fin_now(*names):
    def step(stream, lab):
        for name in names:
            getattr(stream, name).fin()

    return step


def client_fin_first(stream, lab):
    stream.client.send(ASKED)
    fin("client")(stream, lab)
    stream.server.send(REPLIED)
    stream.server.fin()


def server_fin_first(stream, lab):
    stream.server.send(REPLIED)
    fin("server")(stream, lab)
    stream.client.send(ASKED)
    stream.client.fin()


def fins_crossing(stream, lab):
    for end, count in ((stream.client, ASKED), (stream.server, REPLIED)):
        end.send(count)
        end.fin()


def fin(who):
    """Ends a direction. In plain mode the other end does not see that, only that all has arrived."""

    def step(stream, lab):
        end, other = both_ends(stream, who)
        end.fin()
        if lab.half_close:
            other.wait_eof()
        else:
            other.wait_received(end.wanted)

    return step


def answer_at_eof(who):
    """Sends only when the other end has ended its direction, as far as is seen."""

    def step(stream, lab):
        end, other = both_ends(stream, who)
        end.wait_eof()
        end.send(LAST)
        end.fin()

    return step


def both_ends(stream, who):
    return (stream.client, stream.server) if who == "client" else (stream.server, stream.client)


def reset(who):
    return lambda stream, lab: getattr(stream, who).reset()


def lose_leg(leg, how):
    def step(stream, lab):
        for connection in lab.legs(leg):
            getattr(connection, how)()

    return step


def kill(name):
    return lambda stream, lab: getattr(lab, name).kill()


# --- the tables


@dataclasses.dataclass
class Row:
    name: str
    steps: list
    client: tuple  # bytes, or None for a prefix of what was sent, and what it saw
    server: tuple
    plain: tuple = ()  # client and server, where it is different in plain mode

    def __str__(self):
        return self.name

    def expected(self, lab):
        return (self.client, self.server) if lab.half_close or not self.plain else self.plain


THEN_RST, THEN_OWN = f"{CLEAN}, then {RESET}", f"{CLEAN}, then {OWN}"
ROWS = [
    Row("client FIN first", [client_fin_first], (REPLIED, CLEAN), (ASKED, CLEAN)),
    Row("server FIN first", [server_fin_first], (REPLIED, CLEAN), (ASKED, CLEAN)),
    Row("FINs crossing", [fins_crossing], (REPLIED, CLEAN), (ASKED, CLEAN)),
    # What plain mode cannot express: who sends only at end of file is too late, and yet both ends look clean.
    Row(
        "client FIN, then the server answers it",
        [exchange, fin("client"), answer_at_eof("server")],
        (REPLIED + LAST, CLEAN),
        (ASKED, CLEAN),
        plain=((REPLIED, CLEAN), (ASKED, CLEAN)),
    ),
    Row(
        "server FIN, then the client answers it",
        [exchange, fin("server"), answer_at_eof("client")],
        (REPLIED, CLEAN),
        (ASKED + LAST, CLEAN),
        plain=((REPLIED, CLEAN), (ASKED, CLEAN)),
    ),
    Row(
        "client FIN, then server RST",
        [exchange, fin("client"), reset("server")],
        (REPLIED, RESET),
        (ASKED, THEN_OWN),
        plain=((REPLIED, RESET), (ASKED, OWN)),
    ),
    Row(
        "server FIN, then client RST",
        [exchange, fin("server"), reset("client")],
        (REPLIED, THEN_OWN),
        (ASKED, RESET),
        plain=((REPLIED, OWN), (ASKED, RESET)),
    ),
    Row(
        "client FIN, then client RST",
        [exchange, fin("client"), reset("client")],
        (REPLIED, OWN),
        (ASKED, THEN_RST),
        plain=((REPLIED, OWN), (ASKED, RESET)),
    ),
    Row(
        "server FIN, then server RST",
        [exchange, fin("server"), reset("server")],
        (REPLIED, THEN_RST),
        (ASKED, OWN),
        plain=((REPLIED, RESET), (ASKED, OWN)),
    ),
    Row("client RST, quiet", [exchange, reset("client")], (REPLIED, OWN), (ASKED, RESET)),
    Row("client RST, busy", [flood, reset("client")], (None, OWN), (None, RESET)),
    Row("server RST, quiet", [exchange, reset("server")], (REPLIED, RESET), (ASKED, OWN)),
    Row("server RST, busy", [flood, reset("server")], (None, RESET), (None, OWN)),
]
LOSSES = {
    "service leg reset": lose_leg("service", "reset"),
    "service leg cut": lose_leg("service", "cut"),
    "device leg reset": lose_leg("device", "reset"),
    "device leg cut": lose_leg("device", "cut"),
    "hub killed": kill("hub"),
    "service-proxy killed": kill("service"),
    "device-proxy killed": kill("device"),
}
for name, loss in LOSSES.items():
    ROWS += [
        Row(f"{name}, quiet", [exchange, loss], (REPLIED, RESET), (ASKED, RESET)),
        Row(f"{name}, busy", [flood, loss], (None, RESET), (None, RESET)),
        Row(
            f"{name}, after client FIN",
            [flood_back, loss],
            (None, RESET),
            (ASKED, THEN_RST),
            plain=((None, RESET), (ASKED, RESET)),
        ),
    ]


# What ends streams whose ends do not read; they begin PAUSE seconds later.
PAUSE, LONG_PAUSE = 0.3, 6  # the latter is longer than any goodbye takes
SLOW_ROWS = [
    Row("client FIN first", [fill, fin_now("client", "server")], (FILL, CLEAN), (FILL, CLEAN)),
    Row("server FIN first", [fill, fin_now("server", "client")], (FILL, CLEAN), (FILL, CLEAN)),
    Row("client FIN, then server RST", [fill, fin_now("client"), reset("server")], (FILL, RESET), (0, OWN)),
    Row("server FIN, then client RST", [fill, fin_now("server"), reset("client")], (0, OWN), (FILL, RESET)),
    Row("client RST, quiet", [fill, reset("client")], (0, OWN), (FILL, RESET)),
    Row("server RST, quiet", [fill, reset("server")], (FILL, RESET), (0, OWN)),
]
for name, loss in LOSSES.items():
    # Whoever is killed takes with it what its kernel still holds for its own end.
    SLOW_ROWS.append(
        Row(
            f"{name}, quiet",
            [fill, loss],
            (None if name == "service-proxy killed" else FILL, RESET),
            (None if name == "device-proxy killed" else FILL, RESET),
        )
    )


@pytest.fixture(scope="module", params=[Laboratory, PlainLaboratory], ids=["extended", "plain"])
def lab(request, tmp_path_factory):
    lab = request.param(tmp_path_factory.mktemp("endings"))
    try:
        yield lab.start()
    finally:
        lab.finish()


@pytest.fixture(scope="module")
def table(lab):
    observed = {}
    yield observed
    mode = "extended" if lab.half_close else "plain"
    lines = [
        "",
        "",
        f"| {mode} | client got | client saw | server got | server saw | slow readers: client, server |",
        "|---|---|---|---|---|---|",
    ]
    for name, cells in observed.items():
        lines.append(f"| {' | '.join([name, *cells.get('prompt', 4 * ['']), cells.get('slow', '')])} |")
    print("\n".join(lines))


def observe(end, other, exact):
    got = f"{end.received:,} of {other.wanted:,} bytes" if exact is not None else "an exact prefix"
    return got, end.saw()


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_ending(lab, table, row):
    lab.begin()
    stream = lab.open()
    for step in row.steps:
        step(stream, lab)
    cells = check_end(lab, stream, row)
    table.setdefault(row.name, {})["prompt"] = cells


@pytest.mark.parametrize("row", SLOW_ROWS, ids=str)
def test_ending_before_slow_readers(lab, table, row):
    lab.begin()
    stream = lab.open()
    for step in row.steps:
        step(stream, lab)
    time.sleep(LONG_PAUSE if row.name == "hub killed, quiet" else PAUSE)
    for end in stream.ends():
        end.start_reading()
    cells = check_end(lab, stream, row)
    table.setdefault(row.name, {})["slow"] = "{}, {}; {}, {}".format(*cells)


def check_end(lab, stream, row):
    for end in stream.ends():
        end.wait_over()
    client, server = row.expected(lab)
    cells = [*observe(stream.client, stream.server, client[0]), *observe(stream.server, stream.client, server[0])]
    stream.check_prefixes()
    for name, end, (count, ending) in (("client", stream.client, client), ("server", stream.server, server)):
        assert end.saw() == ending, f"the {name} saw {end.saw()!r}: {stream.describe()}"
        assert count in (None, end.received), f"the {name} got {end.received} bytes: {stream.describe()}"
    lab.restore()
    assert lab.works(), "the next stream"
    return cells


def test_who_reads_late_gets_all_that_came_before_a_clean_end(lab):
    """Both directions have ended long before the last bytes are read."""
    lab.begin()
    streams = [lab.open(), lab.open()]
    pairs = [(streams[0].client, streams[0].server), (streams[1].server, streams[1].client)]
    for reader, sender in pairs:
        reader.stop_reading()
        sender.send(LATE)
        reader.fin()
        if lab.half_close:
            sender.wait_eof()
        sender.fin()
    for _, sender in pairs:
        sender.wait_over()
    time.sleep(6)  # longer than any goodbye takes
    for reader, _ in pairs:
        reader.start_reading()
        reader.wait_over()
        assert reader.saw() == CLEAN and reader.received == LATE and reader.wrong_at is None, reader.describe()
