"""Local services that are not there: the client is let go at once and the device's log says why."""
import time

import pytest
from tests.harness.wire import is_let_go


@pytest.mark.parametrize("service, code", [("refused", "DS-402"), ("missing", "DS-401"), ("black_hole", "DS-403")])
def test_the_client_is_let_go_and_the_log_names_the_reason(rig, service, code):
    device_mark, service_mark = rig.device.mark(), rig.service.mark()
    begin = time.monotonic()
    assert is_let_go(rig.forward_ports[service])
    assert time.monotonic() - begin < 15
    rig.device.wait_for(rf"{code}[^\n]*", device_mark)
    rig.service.wait_for(r"DS-305[^\n]*", service_mark)


def test_streams_to_other_services_do_not_notice(rig):
    with rig.connect("echo") as running, rig.connect("black_hole"):
        assert is_let_go(rig.forward_ports["refused"])
        for number in range(20):
            running.sendall(b"%d" % number)
            assert running.recv(10) == b"%d" % number


def test_the_log_names_the_service_and_its_address(rig):
    mark = rig.device.mark()
    assert is_let_go(rig.forward_ports["refused"])
    line = rig.device.wait_for(r"[^\n]*DS-402[^\n]*", mark).group(0)
    assert "refused" in line and str(rig.local_port("refused")) in line
