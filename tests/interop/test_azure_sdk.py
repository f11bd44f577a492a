"""The Azure IoT device SDK from npm, unmodified. It knows the ports 443 and 8883 only, so its hub listens there on a
loopback address of its own."""
import socket

import pytest
from tests.harness.programs import wait_until
from tests.harness.rig import Rig
from tests.harness.wire import http_request, service_token, tls_connect

ADDRESS = "127.83.77.17"


@pytest.fixture(scope="module", params=["auto", "off"], ids=["record plane", "OpenSSL"])
def azure_rig(request, tmp_path_factory):
    """A hub on the real ports, with TLS records of our own and without."""
    for port in (443, 8883):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, port))
            except PermissionError:
                pytest.skip("only root may listen on port 443")
    rig = Rig(tmp_path_factory.mktemp("azure"), host=ADDRESS)
    rig.hub_port, rig.mqtt_port = 443, 8883
    rig.init()
    rig.set_hub_yaml(tls=f"{{record_plane: {request.param}}}")
    rig.start_hub()
    yield rig
    rig.finish()


@pytest.fixture
def azure_device(azure_rig, node_program):
    def start(transport, connection_string):
        return node_program(
            "azure_device.js", transport, stdin=connection_string + "\n", ca_file=azure_rig.ca_file, keep_open=True
        )

    return start


@pytest.mark.parametrize("transport", ["Mqtt", "MqttWs"])
def test_an_azure_device_connects_sends_and_leaves(azure_rig, azure_device, transport):
    name = f"azure-{transport}"
    program = azure_device(transport, azure_rig.add_device(name))
    program.wait_for(r"\bopen\b")
    program.wait_for("telemetry acknowledged")
    assert azure_rig.is_online(name)
    program.wait_for("twin refused: this hub keeps no twins")
    program.process.stdin.close()
    program.wait_for("closed")
    assert program.wait() == 0
    wait_until(lambda: not azure_rig.is_online(name), "the hub to see it leave")


@pytest.mark.parametrize("transport", ["Mqtt", "MqttWs"])
def test_an_azure_device_with_a_wrong_key_is_unauthorized(azure_rig, azure_device, transport):
    name = f"wrong-{transport}"
    right = azure_rig.add_device(name)
    wrong = right.rsplit("SharedAccessKey=", 1)[0] + "SharedAccessKey=" + "A" * 43 + "="
    program = azure_device(transport, wrong)
    program.wait_for("failed UnauthorizedError")
    assert not azure_rig.is_online(name)


def test_an_azure_device_that_knows_no_streams_is_not_online_for_them(azure_rig, azure_device):
    """The SDK connects without subscribing to stream requests, so the hub must not send it any."""
    program = azure_device("Mqtt", azure_rig.add_device("azure-plain"))
    program.wait_for("telemetry acknowledged")
    with tls_connect(443, azure_rig.ca_file, host=ADDRESS) as connection:
        status, headers, _ = http_request(
            connection,
            "POST",
            "/twins/azure-plain/streams/ssh.00000000?api-version=2020-09-30",
            {"Authorization": service_token(azure_rig.service_cs), "iothub-streaming-connect-timeout-in-seconds": "1"},
        )
    assert (status, headers["iothub-errorcode"]) == (404, "DeviceNotOnline")
    assert program.is_alive()
