"""Clients that leave while their stream is being opened: nothing of it is left at the device."""
import pytest
from harness.laboratory import Laboratory
from harness.programs import wait_until


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


def forget_the_hub(lab):
    """service-proxy asks for its leg by a request of its own, as long as it has not met the hub as one of ours."""
    lab.service.stop()
    lab.service.start()
    lab.wait_ready()
    wait_until(lambda: lab.networks["service"].open_connections(), "a warm connection")


@pytest.mark.parametrize("met", [False, True], ids=["first-stream", "later-stream"])
def test_between_the_hubs_answer_and_the_leg(lab, met):
    """The hub has answered, and its answer is still on its way to service-proxy."""
    if not met:
        forget_the_hub(lab)
    service, mark = lab.networks["service"], lab.hub.mark()
    service.hold("down")
    heard = [(connection, connection.heard["down"]) for connection in service.open_connections()]
    connection = open_and_leave(lab, lambda: any(now.heard["down"] > before for now, before in heard))
    wait_until(lambda: connection.closed, "the connection to the local service to end")
    if not met:
        lab.hub.wait_for('"the service went away before its leg came"', mark)


def test_while_the_leg_is_on_its_way(lab):
    """The leg, on the connection that asked, comes to the hub together with the end of that connection."""
    forget_the_hub(lab)
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
