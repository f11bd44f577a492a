"""Mosquitto's clients as a device on 8883."""
import os
import subprocess
import threading

import pytest
from tests.harness.programs import find_tool, run, wait_until
from tests.harness.wire import (
    device_token,
    http_request,
    parse_connection_string,
    read_websocket,
    service_token,
    tls_connect,
    websocket_frame,
    websocket_upgrade,
)

DEVICE = "mosquitto-device"


@pytest.fixture
def login(rig):
    """Command line options with which a mosquitto client is the device."""
    rig.admin("device", "remove", DEVICE, check=False)
    connection_string = rig.add_device(DEVICE)
    host = parse_connection_string(connection_string)["HostName"]
    return [
        "-h",
        host,
        "-p",
        str(rig.mqtt_port),
        "--cafile",
        str(rig.ca_file),
        "-V",
        "mqttv311",
        "-i",
        DEVICE,
        "-u",
        f"{host}/{DEVICE}/?api-version=2020-09-30",
        "-P",
        device_token(connection_string),
    ]


def ask_for_stream(rig, name, answers):
    with tls_connect(rig.hub_port, rig.ca_file, timeout=60) as connection:
        answers.append(
            http_request(
                connection,
                "POST",
                f"/twins/{DEVICE}/streams/{name}?api-version=2020-09-30",
                {
                    "Authorization": service_token(rig.service_cs),
                    "iothub-streaming-connect-timeout-in-seconds": "30",
                    "iothub-streaming-response-timeout-in-seconds": "30",
                },
            )
        )


def open_leg(rig, url, token):
    connection = tls_connect(rig.hub_port, rig.ca_file)
    status, _, _ = websocket_upgrade(connection, "/" + url.split("/", 3)[3], {"Authorization": f"Bearer {token}"})
    assert status == 101
    return connection


@pytest.mark.parametrize("answer", [200, 400])
def test_a_stream_request_arrives_and_is_answered(rig, login, answer):
    subscriber = subprocess.Popen(
        [
            find_tool("mosquitto_sub"),
            *login,
            "-t",
            "$iothub/streams/POST/#",
            "-t",
            "$iothub/streams/res/#",
            "-q",
            "0",
            "-C",
            "1",
            "-F",
            "%t",
            "-W",
            "60",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    name, answers = f"ssh.{os.urandom(4).hex()}", []
    asker = threading.Thread(target=ask_for_stream, args=(rig, name, answers))
    asker.start()
    topic, errors = subscriber.communicate(timeout=90)
    assert subscriber.returncode == 0, errors
    segments = topic.strip().split("/")
    assert segments[:4] == ["$iothub", "streams", "POST", name] and len(segments) == 5
    pairs = dict(pair.split("=", 1) for pair in segments[4][1:].split("&"))

    run(
        [
            find_tool("mosquitto_pub"),
            *login,
            "-q",
            "0",
            "-n",
            "-t",
            f"$iothub/streams/res/{answer}/?$rid={pairs['$rid']}",
        ]
    )
    asker.join(60)
    status, headers, _ = answers[0]
    assert (status, headers["iothub-streaming-is-accepted"]) == (200, "True" if answer == 200 else "False")
    if answer != 200:
        assert "iothub-streaming-url" not in headers
        return
    from urllib.parse import unquote

    with open_leg(rig, unquote(pairs["$url"]), pairs["$auth"]) as device, open_leg(
        rig, headers["iothub-streaming-url"], headers["iothub-streaming-auth-token"]
    ) as service:
        service.sendall(websocket_frame(b"to the device"))
        assert read_websocket(device) == (2, b"to the device")
        device.sendall(websocket_frame(b"to the service"))
        assert read_websocket(service) == (2, b"to the service")


def test_telemetry_with_qos_1_is_acknowledged(rig, login):
    run([find_tool("mosquitto_pub"), *login, "-q", "1", "-t", f"devices/{DEVICE}/messages/events/", "-m", "{}"])


def test_a_wrong_password_is_refused(rig, login):
    done = run(
        [
            find_tool("mosquitto_pub"),
            *login[:-1],
            "SharedAccessSignature sr=x&sig=eA%3D%3D&se=1893456000",
            "-t",
            "a",
            "-m",
            "b",
        ],
        check=False,
    )
    assert done.returncode == 5
    assert "authori" in done.stderr.lower()


def test_the_link_counts_as_online(rig, login):
    subscriber = subprocess.Popen([find_tool("mosquitto_sub"), *login, "-t", "$iothub/streams/POST/#", "-W", "60"])
    try:
        wait_until(lambda: rig.is_online(DEVICE), "the device to be online")
    finally:
        subscriber.terminate()
        subscriber.wait()
    wait_until(lambda: not rig.is_online(DEVICE), "the device to be offline")
