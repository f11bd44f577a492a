"""Faults on every leg and of every program, at random points: bytes are never wrong, nothing hangs, nothing leaks.

Every random choice comes from DS_SEED; a failing test prints the one it used.
"""
import concurrent.futures
import random
import signal

import pytest
from tests.harness.ends import CLEAN, GIGABYTE, RESET
from tests.harness.faulty_network import draw_plan
from tests.harness.laboratory import SEED, Laboratory, rng_for
from tests.harness.programs import wait_until

STREAMS = 12
LARGEST = 400_000
PROGRAMS = ("service", "hub", "device")


def laboratory(directory, **options):
    lab = Laboratory(directory, **options)
    try:
        yield lab.start()
    finally:
        lab.finish()


@pytest.fixture(scope="module")
def quick_lab(tmp_path_factory):
    """Gives a silent leg up after seconds."""
    yield from laboratory(tmp_path_factory.mktemp("quick"), quick=True)


@pytest.fixture(scope="module")
def patient_lab(tmp_path_factory):
    """Silence shorter than a minute is no fault here."""
    yield from laboratory(tmp_path_factory.mktemp("patient"))


def check_recovery(lab, descriptors):
    """All is as if nothing had happened; but a connection that service-proxy keeps for later may be a swallowed one."""
    lab.close_streams()
    lab.restore()
    wait_until(lab.works, "new streams to work")
    lab.wait_no_streams()
    lab.wait_no_more_descriptors(descriptors)
    lab.check_output()


# --- faults of the network


def plan_faults(lab, leg):
    """Each connection on the leg gets a plan that follows from the seed and its number."""
    network = lab.networks[leg]
    first = len(network.connections)
    local = leg in ("client", "local")

    def plan_for(number):
        rng = random.Random(f"{SEED} {leg} {number - first}")
        # Nobody asks a local connection whether it lives, so the network has to end it in the end.
        plan = draw_plan(rng, LARGEST + LARGEST // 4, lasts=0.5 if local else 0)
        # Garbage on a local connection is just bytes: no tunnel could tell.
        return draw_plan(rng, LARGEST, fault="reset") if local and plan.fault == "garbage" else plan

    network.plan_for = plan_for


def carry(lab, up, down):
    """One stream from its start to its end, whatever that is."""
    stream = lab.dial("relayed")
    stream.client.send(up)
    stream.client.fin()
    wait_until(lambda: stream.server or stream.client.is_over(), lambda: f"a server or an end: {stream.describe()}")
    if stream.server:
        stream.server.send(down)
        stream.server.fin()
    for end in stream.ends():
        end.wait_over()
    return stream


def cut_ways(lab, stream):
    """Directions that the network ended in order on a local leg: nobody can tell that from a program's own end."""
    ports = {"client": stream.client.port, "local": stream.server.peer_port if stream.server else None}
    return {
        way
        for leg in ports
        for connection in lab.networks[leg].connections
        if ports[leg] in (connection.peer_port, connection.far_port)
        for way in connection.cut_ways
    }


def check_stream(stream, excused=()):
    """Bytes are right, and whoever saw a clean end has them all; `excused` are directions."""
    stream.check_prefixes()
    if not stream.server:
        return
    for way, sender, receiver in (("up", stream.client, stream.server), ("down", stream.server, stream.client)):
        if CLEAN in receiver.endings and way not in excused:
            assert receiver.received == sender.wanted, f"truncated, but it looks clean: {stream.describe()}"


@pytest.mark.parametrize("leg", ["client", "service", "device", "local"])
def test_random_faults_of_a_leg(quick_lab, leg):
    lab, rng = quick_lab, rng_for(leg)
    lab.begin()
    descriptors = lab.settled_descriptors()
    plan_faults(lab, leg)
    with concurrent.futures.ThreadPoolExecutor(STREAMS) as pool:
        jobs = [pool.submit(carry, lab, rng.randrange(LARGEST), rng.randrange(LARGEST)) for _ in range(STREAMS)]
    struck = [connection for connection in lab.networks[leg].connections if connection.struck]
    print("faults that struck:", [(connection.plan.fault, connection.plan.way) for connection in struck])
    for stream in [job.result() for job in jobs]:
        check_stream(stream, excused=cut_ways(lab, stream))
    check_recovery(lab, descriptors)


def test_slow_and_narrow_legs_change_nothing(patient_lab):
    lab, rng = patient_lab, rng_for("slow legs")
    lab.begin()
    for name, network in lab.networks.items():
        network.plan_for = lambda number, name=name: draw_plan(
            random.Random(f"{SEED} {name} {number}"), 1, fault="none"
        )
    with concurrent.futures.ThreadPoolExecutor(STREAMS) as pool:
        jobs = [pool.submit(carry, lab, rng.randrange(LARGEST), rng.randrange(LARGEST)) for _ in range(STREAMS)]
    for stream in [job.result() for job in jobs]:
        assert stream.client.saw() == stream.server.saw() == CLEAN, stream.describe()
        check_stream(stream)


@pytest.mark.parametrize("late", ["device", "service"])
def test_legs_may_arrive_in_any_order(patient_lab, late):
    lab = patient_lab
    lab.begin()
    network = lab.networks[late]
    if late == "device":
        early = lab.service
        network.hold_new()  # the link to the hub works, a new leg does not
    else:
        early = lab.device
        network.hold("down")  # the request passes, its answer does not
    mark = early.mark()
    stream = lab.dial()
    early.wait_for("stream opened", mark)
    stream.client.send(LARGEST)
    stream.client.fin()
    network.release()
    wait_until(lambda: stream.server, "the server")
    stream.server.send(LARGEST)
    stream.server.fin()
    for end in stream.ends():
        end.wait_over()
        assert end.saw() == CLEAN and end.received == LARGEST and end.wrong_at is None, stream.describe()


# --- faults of the programs


def ends_of(streams):
    return [end for stream in streams for end in stream.ends()]


def total(streams):
    return sum(end.received for end in ends_of(streams))


@pytest.mark.parametrize("name", PROGRAMS)
def test_kill_nine_in_a_transfer(patient_lab, name):
    lab, rng = patient_lab, rng_for(f"kill {name}")
    lab.begin()
    descriptors = lab.settled_descriptors()
    endless, short = ([lab.open() for _ in range(3)] for _ in range(2))
    for end in ends_of(endless):
        end.send(GIGABYTE)
    for end in ends_of(short):
        end.send(rng.randrange(1_500_000))
        end.fin()
    point = rng.randrange(15_000_000)
    wait_until(lambda: total(endless + short) >= point, "the point of the transfer")
    getattr(lab, name).kill()
    for end in ends_of(endless + short):
        end.wait_over()
    for stream in endless + short:
        check_stream(stream)
    for end in ends_of(endless):
        assert end.saw() == RESET, end.describe()
    check_recovery(lab, descriptors)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_stands_still_for_a_while_loses_nothing(patient_lab, name):
    lab, rng = patient_lab, rng_for(f"stop {name}")
    lab.begin()
    descriptors = lab.settled_descriptors()
    size = 2_000_000
    streams = [lab.open("direct") for _ in range(4)]
    for end in ends_of(streams):
        end.send(size)
        end.fin()
    for point in sorted(rng.randrange(len(streams) * 2 * size) for _ in range(3)):
        wait_until(lambda: total(streams) >= point, "the next point of the transfer")
        stand_still(getattr(lab, name), streams)
    for end in ends_of(streams):
        end.wait_over()
        assert end.saw() == CLEAN and end.received == size and end.wrong_at is None, end.describe()
    check_recovery(lab, descriptors)


def stand_still(program, streams):
    """Stops the program until nothing arrives any more, and lets it go on."""
    counts = []

    def is_quiet():
        counts.append(total(streams))
        return len(counts) > 15 and counts[-1] == counts[-15]

    program.signal(signal.SIGSTOP)
    try:
        wait_until(is_quiet, "the streams to stand still")
    finally:
        program.signal(signal.SIGCONT)
