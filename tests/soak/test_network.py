"""Which connections the network strikes."""
import asyncio
import multiprocessing

from .network import SoakNetwork
from .plan import Fault


def test_what_was_planned_for_a_stream_that_is_over_strikes_no_other():
    ours, theirs = multiprocessing.Pipe()
    with asyncio.Runner() as runner:
        network = SoakNetwork([], theirs, None, runner.get_loop())
        fault = Fault("client", "reset", "up", 0, 0)
        for stream, port in ((7, 50_014), (8, 50_015)):
            ours.send(("arm", stream, "client", port, fault))
        ours.send(("forget", 7))
        network.handle_commands()
        assert list(network.waiting) == [("client", 50_015)]
