"""Wrong, expired, foreign and truncated credentials: a clear error on the right side, and nobody else notices."""
import base64
import contextlib
import os

import pytest
from tests.harness.programs import BIN, Program, free_port, is_listening, run, wait_until
from tests.harness.rig import DEVICE
from tests.harness.secrets import find_leaks
from tests.harness.wire import (
    device_token,
    http_request,
    is_let_go,
    mqtt_connect,
    parse_connection_string,
    read_mqtt,
    sas_token,
    service_token,
    tls_connect,
)


def other_key():
    return base64.b64encode(os.urandom(32)).decode()


def with_fields(connection_string, **changes):
    """None removes a field."""
    fields = {**parse_connection_string(connection_string), **changes}
    return ";".join(f"{name}={value}" for name, value in fields.items() if value is not None)


def start_device(rig, directory, connection_string):
    rig.remember(connection_string)
    (directory / "device.cs").write_text(connection_string + "\n")
    config = directory / "device-proxy.yaml"
    config.write_text(
        (rig.directory / "device-proxy.yaml")
        .read_text()
        .replace(str(rig.directory / "device.cs"), str(directory / "device.cs"))
    )
    return Program("device-proxy", [BIN / "device-proxy", "--config", config], directory).start()


@contextlib.contextmanager
def service_with(rig, directory, connection_string, device=DEVICE):
    """A service-proxy of its own with one forward to echo; gives (program, port)."""
    rig.remember(connection_string)
    (directory / "service.cs").write_text(connection_string + "\n")
    port = free_port()
    config = directory / "service-proxy.yaml"
    config.write_text(
        rig.hub_section("service.cs").replace(str(rig.directory), str(directory), 1)
        + f"timeouts:\n  connect: 2s\nforwards:\n  - listen: 127.0.0.1:{port}\n    device: {device}\n"
        + "    service: echo\n"
    )
    program = Program("service-proxy", [BIN / "service-proxy", "--config", config], directory).start()
    try:
        wait_until(lambda: is_listening(port) or not program.is_alive(), "it to listen")
        yield program, port
    finally:
        if program.process:
            assert program.stop() == 0
        assert not find_leaks(program.output(), rig.secrets)


BAD_DEVICE = {
    "another key": lambda cs: with_fields(cs, SharedAccessKey=other_key()),
    "an unknown device": lambda cs: with_fields(cs, DeviceId="no-such-device"),
    "the key of another device": lambda cs: with_fields(cs, DeviceId="other-device"),
    "an expired token": lambda cs: with_fields(
        cs, SharedAccessKey=None, SharedAccessSignature=device_token(cs, lifetime=-3600)
    ),
}


@pytest.mark.parametrize("case", BAD_DEVICE, ids=lambda case: case.replace(" ", "-"))
def test_a_device_with_a_bad_credential_is_told_and_keeps_trying(rig, tmp_path, case):
    if case == "the key of another device":
        rig.admin("device", "remove", "other-device", check=False)
        rig.add_device("other-device")
    hub_mark = rig.hub.mark()
    program = start_device(rig, tmp_path, BAD_DEVICE[case](rig.device_cs))
    try:
        program.wait_for(r"DS-207")
        rig.hub.wait_for(r"DS-601", hub_mark)
        assert program.is_alive(), "a device in the field must come back when its credential is put right"
    finally:
        assert program.stop() == 0
    assert not find_leaks(program.output(), rig.secrets)
    assert rig.echo()


@pytest.mark.parametrize("cut", [3, 30, 70])
@pytest.mark.parametrize("name", ["device-proxy", "service-proxy"])
def test_a_truncated_connection_string_stops_the_start(rig, tmp_path, name, cut):
    whole = rig.device_cs if name == "device-proxy" else rig.service_cs
    (tmp_path / "cut.cs").write_text(whole[:-cut])
    original = (rig.directory / f"{name}.yaml").read_text()
    credential = rig.directory / ("device.cs" if name == "device-proxy" else "service.cs")
    config = tmp_path / f"{name}.yaml"
    config.write_text(original.replace(str(credential), str(tmp_path / "cut.cs")))
    done = run([BIN / name, "--config", config], check=False, timeout=30)
    assert done.returncode in (1, 78), done.stderr
    assert "DS-103" in done.stderr or "connection_string" in done.stderr
    assert not find_leaks(done.stdout + done.stderr, rig.secrets)


@pytest.mark.parametrize(
    "change, code",
    [
        ({"SharedAccessKey": other_key()}, "DS-301"),
        ({"SharedAccessKeyName": "no-such-policy"}, "DS-301"),
    ],
    ids=["another-key", "an-unknown-policy"],
)
def test_a_service_with_a_bad_credential_lets_its_client_go(rig, tmp_path, change, code):
    hub_mark = rig.hub.mark()
    with service_with(rig, tmp_path, with_fields(rig.service_cs, **change)) as (program, port):
        assert is_let_go(port)
        program.wait_for(code)
        rig.hub.wait_for("DS-601", hub_mark)
    assert rig.echo()


def test_an_expired_service_token_lets_its_client_go(rig, tmp_path):
    expired = with_fields(
        rig.service_cs, SharedAccessKey=None, SharedAccessSignature=service_token(rig.service_cs, lifetime=-3600)
    )
    with service_with(rig, tmp_path, expired) as (program, port):
        assert is_let_go(port)
        program.wait_for("DS-301")


def test_an_unknown_device_is_named_to_the_service(rig, tmp_path):
    with service_with(rig, tmp_path, rig.service_cs, device="no-such-device") as (program, port):
        assert is_let_go(port)
        assert "no-such-device" in program.wait_for(r"[^\n]*DS-302[^\n]*").group(0)


def test_an_offline_device_is_named_to_the_service_in_time(rig, tmp_path):
    rig.admin("device", "remove", "asleep", check=False)
    rig.add_device("asleep")
    with service_with(rig, tmp_path, rig.service_cs, device="asleep") as (program, port):
        assert is_let_go(port)
        assert "asleep" in program.wait_for(r"[^\n]*DS-303[^\n]*").group(0)


def test_the_hub_tells_a_stranger_nothing_about_which_devices_exist(rig):
    fields = parse_connection_string(rig.service_cs)
    wrong = sas_token(fields["HostName"], other_key(), policy=fields["SharedAccessKeyName"])
    answers = []
    for device in (DEVICE, "no-such-device"):
        with tls_connect(rig.hub_port, rig.ca_file) as connection:
            status, headers, body = http_request(
                connection,
                "POST",
                f"/twins/{device}/streams/ssh.00000000?api-version=2020-09-30",
                {"Authorization": wrong},
            )
            answers.append((status, headers.get("iothub-errorcode"), len(body)))
            assert not find_leaks(body.decode(), rig.secrets | {wrong}), "an error body must not repeat a token"
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


def test_a_device_key_opens_no_streams_and_a_service_key_no_link(rig):
    """Each credential is good for one thing only."""
    fields = parse_connection_string(rig.device_cs)
    with tls_connect(rig.hub_port, rig.ca_file) as connection:
        status, _, _ = http_request(
            connection,
            "POST",
            f"/twins/{DEVICE}/streams/ssh.00000000?api-version=2020-09-30",
            {"Authorization": device_token(rig.device_cs)},
        )
        assert status == 401
    with tls_connect(rig.mqtt_port, rig.ca_file) as connection:
        user = f"{fields['HostName']}/{DEVICE}/?api-version=2020-09-30"
        connection.sendall(mqtt_connect(DEVICE, user, service_token(rig.service_cs)))
        assert read_mqtt(connection) == (0x20, b"\0\5")
    assert rig.echo()
