"""Node's mqtt and ws packages, and curl, as device and as service."""
import json
import os
import time
import urllib.parse

from tests.harness.programs import find_tool, run
from tests.harness.rig import DEVICE
from tests.harness.wire import device_token, parse_connection_string, service_token


def start_device(rig, node_program, name):
    rig.admin("device", "remove", name, check=False)
    connection_string = rig.add_device(name)
    host = parse_connection_string(connection_string)["HostName"]
    program = node_program(
        "mqtt_ws_device.js",
        f"wss://{host}:{rig.hub_port}/$iothub/websocket",
        name,
        f"{host}/{name}/?api-version=2020-09-30",
        stdin=device_token(connection_string),
    )
    program.wait_for("subscribed 2")
    return program


def order(rig, device, blocks, service="echo"):
    return json.dumps(
        {
            "host": rig.host,
            "port": rig.hub_port,
            "device": device,
            "blocks": blocks,
            "name": f"{service}.{os.urandom(4).hex()}",
            "authorization": service_token(rig.service_cs),
        }
    )


def test_a_node_device_echoes_to_a_node_service(rig, node, node_program):
    device = start_device(rig, node_program, "node-device")
    answer = json.loads(
        node("service.js", rig.ca_file, input=order(rig, "node-device", [1, 64, 65536, 200_000])).stdout
    )
    assert answer == {"status": 200, "accepted": True, "code": 1000, "extensions": "", "same": True}
    device.wait_for(r"request echo\.[0-9a-f]{8} 5")
    device.wait_for("closed 1000")


def test_a_node_service_reaches_a_service_behind_our_device_proxy(rig, node):
    answer = json.loads(node("service.js", rig.ca_file, input=order(rig, DEVICE, [1, 65536, 1_000_000, 3])).stdout)
    assert (answer["accepted"], answer["same"], answer["extensions"]) == (True, True, "")


def test_a_node_service_hears_that_a_stream_was_refused(rig, node):
    answer = json.loads(
        node("service.js", rig.ca_file, input=order(rig, DEVICE, [1], service="no-such-service")).stdout
    )
    assert answer == {"status": 200, "accepted": False}


def test_a_node_device_serves_our_service_proxy(rig, node_program, tmp_path):
    import socket
    from tests.harness.programs import BIN, Program, free_port, is_listening, wait_until

    start_device(rig, node_program, "node-device-2")
    port = free_port()
    config = tmp_path / "service-proxy.yaml"
    config.write_text(
        rig.hub_section("service.cs")
        + f"forwards:\n  - listen: 127.0.0.1:{port}\n    device: node-device-2\n    service: echo\n"
    )
    program = Program("service-proxy", [BIN / "service-proxy", "--config", config], tmp_path).start()
    try:
        wait_until(lambda: is_listening(port), "it to listen")
        payload = os.urandom(300_000)
        with socket.create_connection(("127.0.0.1", port), 60) as client:
            client.sendall(payload[:150_000])
            client.sendall(payload[150_000:])
            received = b""
            while len(received) < len(payload):
                received += client.recv(65536)
            assert received == payload
    finally:
        assert program.stop() == 0


def curl_post(rig, device, *options):
    done = run(
        [
            find_tool("curl"),
            "-sS",
            "--cacert",
            rig.ca_file,
            "-D",
            "-",
            "-X",
            "POST",
            "-H",
            "Content-Length: 0",
            "-H",
            "@-",
            *options,
            f"https://{rig.host}:{rig.hub_port}/twins/{urllib.parse.quote(device)}/streams/"
            f"echo.{os.urandom(4).hex()}?api-version=2020-09-30",
        ],
        input=f"Authorization: {service_token(rig.service_cs)}\n",
    )
    head, _, body = done.stdout.partition("\n\n")
    status = int(head.split()[1])
    return status, dict(line.split(": ", 1) for line in head.splitlines()[1:]), body


def test_curl_opens_a_stream(rig):
    status, headers, body = curl_post(rig, DEVICE)
    assert (status, headers["iothub-streaming-is-accepted"], body) == (200, "True", "")
    assert headers["iothub-streaming-url"].startswith(
        f"wss://{rig.host}:{rig.hub_port}/bridges/ih/hub1/d/{DEVICE}/sid/"
    )


def test_curl_hears_of_a_device_that_does_not_exist_as_azure_says_it(rig):
    status, headers, body = curl_post(rig, "no-such-device")
    assert (status, headers["iothub-errorcode"]) == (404, "DeviceNotFound")
    inner = json.loads(json.loads(body)["Message"])
    assert inner["errorCode"] == 404001


def test_curl_hears_of_an_offline_device_after_its_connect_timeout(rig):
    rig.admin("device", "remove", "asleep", check=False)
    rig.add_device("asleep")
    begin = time.monotonic()
    status, headers, body = curl_post(rig, "asleep", "-H", "iothub-streaming-connect-timeout-in-seconds: 2")
    assert (status, headers["iothub-errorcode"]) == (404, "DeviceNotOnline")
    assert json.loads(json.loads(body)["Message"])["errorCode"] == 404103
    assert 1.5 < time.monotonic() - begin < 20
