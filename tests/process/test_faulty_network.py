"""What the tests' own network does to connections: tests that see it do nothing prove nothing."""
import contextlib
import socket
import time

import pytest
from tests.harness.ends import CLEAN, RESET, End
from tests.harness.faulty_connection import Plan
from tests.harness.faulty_network import FaultyNetwork
from tests.harness.programs import wait_until

pytestmark = pytest.mark.release_only  # runs no program

SIZE = 1_000_000


@contextlib.contextmanager
def through(plan):
    """The two ends of a connection that this plan befalls, and the network."""
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.ExitStack() as stack:
        network = stack.enter_context(contextlib.closing(FaultyNetwork(server.getsockname())))
        network.plan_for = lambda number: plan
        near = End(socket.create_connection(("127.0.0.1", network.port)), 1, 2)
        stack.callback(near.close)
        far = End(server.accept()[0], 2, 1)
        stack.callback(far.close)
        yield near, far, network


def test_without_a_fault_all_passes_and_ends_as_it_was_ended():
    with through(Plan()) as (near, far, network):
        near.send(SIZE)
        near.fin()
        far.wait_eof()
        assert far.received == SIZE and far.wrong_at is None and near.saw() == "nothing"
        far.send(8)
        far.fin()
        near.wait_over()
        assert near.received == 8 and near.saw() == CLEAN
        wait_until(lambda: not network.open_connections(), "the connection to end")


def test_a_round_trip_over_a_slow_leg_takes_two_with_the_making_of_the_connection():
    latency = 0.1
    begin = time.monotonic()
    with through(Plan(latency=latency)) as (near, far, _):
        assert time.monotonic() - begin >= latency
        near.send(8)
        far.wait_received(8)
        assert time.monotonic() - begin >= 3 * latency
        far.send(8)
        near.wait_received(8)
        assert time.monotonic() - begin >= 4 * latency
        # One piece is not held up by another: this takes a latency, not one for each piece.
        begin = time.monotonic()
        near.send(64 << 16)
        far.wait_received(64 << 16)
        assert time.monotonic() - begin < 32 * latency


@pytest.mark.parametrize("fault, saw", [("reset", RESET), ("end", CLEAN), ("cut", CLEAN)])
def test_a_connection_is_broken_after_as_many_bytes_as_planned(fault, saw):
    with through(Plan(fault, "up", 70_000)) as (near, far, network):
        near.send(SIZE)
        wait_until(lambda: far.endings, "the fault to strike")
        assert far.received <= 70_000 and far.saw().startswith(saw), far.describe()
        assert fault == "reset" or far.received == 70_000
        far.send(8)
        if fault == "cut":  # the other direction goes on
            near.wait_received(8)
        else:
            wait_until(lambda: near.endings, "the fault to be seen by the other side")
        assert network.connections[0].struck


def test_a_stall_is_over_after_its_time():
    with through(Plan("stall", "up", 70_000, lasts=0.5)) as (near, far, network):
        begin = time.monotonic()
        near.send(SIZE)
        far.wait_received(SIZE)
        assert time.monotonic() - begin >= 0.5 and network.connections[0].struck


@pytest.mark.parametrize("fault", ["half_open", "black_hole"])
def test_what_is_swallowed_is_not_missed(fault):
    with through(Plan(fault, "up", 70_000)) as (near, far, network):
        near.send(SIZE)
        wait_until(lambda: network.connections[0].heard["up"] == SIZE, "the network to swallow everything")
        far.wait_received(70_000)
        far.send(8)
        if fault == "half_open":
            near.wait_received(8)
        assert far.received == 70_000 and near.saw() == far.saw() == "nothing"
