"""Whom the network strikes."""
import multiprocessing

from .plan import Fault
from .relay import Relay


def test_what_was_planned_for_a_stream_that_is_over_strikes_no_other():
    ours, theirs = multiprocessing.Pipe()
    relay = Relay([], theirs, None)
    fault = Fault("client", "reset", "up", 0, 0)
    for stream, port in ((7, 50_014), (8, 50_015)):
        ours.send(("arm", stream, "client", port, fault))
    ours.send(("forget", 7))
    relay._obey()
    assert list(relay.waiting) == [("client", 50_015)]
