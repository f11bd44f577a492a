"""Who has no valid credential learns nothing about which devices, modules and policies exist."""
import base64
import os
import re

import pytest
from tests.harness.rig import DEVICE
from tests.harness.wire import (
    http_request,
    mqtt_connect,
    parse_connection_string,
    read_mqtt,
    read_until_closed,
    sas_token,
    tls_connect,
    websocket_upgrade,
)

CERTIFICATE_DEVICE, DISABLED = "certified", "switched-off"


def guessed_key():
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture(scope="module")
def populated(shared_rig):
    """Identities of every kind besides the device that works."""
    rig = shared_rig
    for name in (DISABLED, f"{DEVICE}/agent"):
        rig.add_device(name)
    run_x509 = rig.admin("device", "add", CERTIFICATE_DEVICE, "--x509-thumbprint", "AB" * 32, check=False)
    assert run_x509.returncode == 0, run_x509.stderr
    rig.admin("device", "disable", DISABLED)
    yield rig
    for name in (f"{DEVICE}/agent", DISABLED, CERTIFICATE_DEVICE):
        rig.admin("device", "remove", name)


def mqtt_answer(rig, target, policy=None, password=None):
    device, _, module = target.partition("/")
    resource = f"{rig.host}/devices/{device}" + (f"/modules/{module}" if module else "")
    password = (
        sas_token(rig.host if policy else resource, guessed_key(), policy=policy) if password is None else password
    )
    with tls_connect(rig.mqtt_port, rig.ca_file) as connection:
        connection.sendall(mqtt_connect(target, f"{rig.host}/{target}/?api-version=2020-09-30", password))
        return read_mqtt(connection), read_until_closed(connection)


IDENTITIES = [
    DEVICE,
    f"{DEVICE}/agent",
    f"{DEVICE}/no-such-module",
    DISABLED,
    CERTIFICATE_DEVICE,
    "no-such-device",
    "no-such-device/agent",
]


@pytest.mark.parametrize("policy", [None, "service", "no-such-policy"])
def test_devices_with_wrong_keys_hear_one_answer(populated, policy):
    answers = {target: mqtt_answer(populated, target, policy) for target in IDENTITIES}
    assert set(answers.values()) == {((0x20, b"\0\5"), b"")}, answers


@pytest.mark.parametrize("password", ["", "nonsense"])
def test_devices_without_a_token_hear_one_answer(populated, password):
    answers = {target: mqtt_answer(populated, target, password=password) for target in IDENTITIES}
    assert set(answers.values()) == {((0x20, b"\0\5"), b"")}, answers


def without_ids(answer):
    """What differs in every answer: the id to quote to the hub's owner, and the time."""
    status, headers, body = answer
    kept = {name: value for name, value in headers.items() if name != "date"}
    return status, tuple(sorted(kept.items())), re.sub(rb"[0-9a-f]{32}|[0-9TZ:./ -]{16,}", b"*", body)


def stream_request(rig, target, policy):
    device, _, module = target.partition("/")
    path = (
        f"/twins/{device}" + (f"/modules/{module}" if module else "") + "/streams/echo.00000000?api-version=2020-09-30"
    )
    token = sas_token(rig.host, guessed_key(), policy=policy) if policy else None
    with tls_connect(rig.hub_port, rig.ca_file) as connection:
        return without_ids(http_request(connection, "POST", path, {"Authorization": token} if token else {}))


def test_services_with_wrong_keys_hear_one_answer(populated):
    answers = {
        (target, policy): stream_request(populated, target, policy)
        for target in IDENTITIES
        for policy in ("service", "no-such-policy", None)
    }
    assert len(set(answers.values())) == 1 and next(iter(answers.values()))[0] == 401, answers


def test_a_device_key_opens_no_stream_and_learns_nothing(populated):
    fields = parse_connection_string(populated.device_cs)
    answers = set()
    for target in IDENTITIES:
        token = sas_token(f"{fields['HostName']}/devices/{DEVICE}", fields["SharedAccessKey"])
        with tls_connect(populated.hub_port, populated.ca_file) as connection:
            path = f"/twins/{target.split('/')[0]}/streams/echo.00000000?api-version=2020-09-30"
            answers.add(without_ids(http_request(connection, "POST", path, {"Authorization": token})))
    assert len(answers) == 1 and next(iter(answers))[0] == 401


def test_legs_without_a_good_token_hear_one_answer(populated):
    answers = set()
    for target in ("pump-17", "no-such-device", CERTIFICATE_DEVICE):
        for token in ({}, {"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"}):
            with tls_connect(populated.hub_port, populated.ca_file) as connection:
                status, headers, _ = websocket_upgrade(
                    connection, f"/bridges/ih/hub1/d/{target}/sid/{'0' * 32}/r/service", token
                )
                answers.add((status, headers["content-length"]))
    assert len(answers) == 1 and next(iter(answers))[0] == 401
