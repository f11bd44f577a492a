"""Clients that leave while their stream is being opened: nothing of it is left at the device."""
import pytest
from tests.harness.laboratory import Laboratory
from tests.harness.programs import wait_until


class PatientHub(Laboratory):
    def set_hub_yaml(self, **changes):
        super().set_hub_yaml(handshake_timeout="600s", **changes)  # no stream may need it to end


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = PatientHub(tmp_path_factory.mktemp("leaving"))
    try:
        yield lab.start()
    finally:
        lab.finish()


@pytest.fixture(autouse=True)
def healthy(lab):
    lab.begin()
    lab.settled_descriptors()  # the next stream request has a warm connection to go on
    yield
    lab.restore()


def open_and_leave(lab, is_far_enough):
    """A client that leaves once its stream has come so far; returns the device's connection to the local service."""
    local = lab.networks["local"].connections
    before = len(local)
    client = lab.dial("relayed").client
    wait_until(lambda: len(local) > before and is_far_enough(), "the stream to be half open")
    assert not local[-1].closed
    client.reset()
    return local[-1]


def restart_service(lab):
    """It does not know yet that the hub is ours: its next stream is granted first, and then gets its leg."""
    lab.service.stop()
    lab.service.start()
    lab.wait_ready()
    seen = []

    def is_settled():
        seen.append([connection.heard["down"] for connection in lab.networks["service"].open_connections()])
        return len(seen) > 20 and seen[-1] and all(heard == seen[-1] for heard in seen[-20:])

    wait_until(is_settled, "a warm connection")


def leave_before_the_answer_comes(lab):
    """The hub has answered, and its answer is still on its way to service-proxy."""
    service = lab.networks["service"]
    service.hold("down")
    heard = [(connection, connection.heard["down"]) for connection in service.open_connections()]
    connection = open_and_leave(lab, lambda: any(now.heard["down"] > before for now, before in heard))
    wait_until(lambda: connection.closed, "the connection to the local service to end")


def test_between_the_hubs_answer_and_the_leg(lab):
    restart_service(lab)
    mark = lab.hub.mark()
    leave_before_the_answer_comes(lab)
    lab.hub.wait_for('"the service went away before its leg came"', mark)


def test_before_the_leg_that_comes_with_the_answer(lab):
    leave_before_the_answer_comes(lab)


def test_while_the_leg_is_on_its_way(lab):
    """The leg, on the connection that asked, comes to the hub together with the end of that connection."""
    restart_service(lab)
    service, device, mark = lab.networks["service"], lab.networks["device"], lab.service.mark()
    device.hold("up")  # the device's answer waits until the way of the leg is closed
    connection = open_and_leave(lab, lambda: hold_the_leg(service, device))
    lab.service.wait_for('"stream request cancelled"', mark)
    service.release()
    wait_until(lambda: connection.closed, "the connection to the local service to end")


def hold_the_leg(service, device):
    service.hold("up")
    heard = [(connection, connection.heard["up"]) for connection in service.open_connections()]
    device.release()
    return wait_until(lambda: any(now.heard["up"] > before for now, before in heard), "the leg to come")


def test_before_the_hubs_answer(lab):
    """The device's answer is still on its way to the hub, and its leg, a connection of its own, comes before it."""
    device, mark = lab.networks["device"], lab.hub.mark()
    for kept in lab.legs("device"):
        kept.reset()  # so that the leg is a new connection
    device.hold("up")
    before = len(device.connections)
    connection = open_and_leave(lab, lambda: any(leg.heard["down"] for leg in device.connections[before:]))
    wait_until(lambda: connection.closed, "the connection to the local service to end")
    lab.hub.wait_for('"stream request cancelled"', mark)
