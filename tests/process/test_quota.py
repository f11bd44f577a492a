"""Limits of streams against the real programs: who is refused, what is told, and that a day outlives a hub."""
import json

from tests.harness.programs import wait_until
from tests.harness.rig import DEVICE


def use(rig, scope):
    scopes = {entry["scope"]: entry for entry in json.loads(rig.admin("quota", "--json"))["scopes"]}
    return scopes[scope]["use"][0] if scopes[scope]["use"] else {"streams": 0, "bytes": 0}


def is_refused(rig, code):
    since = rig.service.mark()
    with rig.connect("echo") as client:
        try:
            ended = client.recv(1) == b""
        except ConnectionError:
            ended = True
    told = rig.service.wait_for(rf"{code}[^\n]*Retry-After: (\d+) s", since)
    return ended and int(told[1]) > 0


def test_one_stream_too_many_is_refused_until_one_ends(prepared_rig):
    rig = prepared_rig
    rig.bring_up(quota="{device: {streams: 1}}")
    wait_until(lambda: use(rig, "device")["streams"] == 0, "the first stream to end")
    with rig.running_stream() as client:
        assert (use(rig, "device")["name"], use(rig, "device")["streams"]) == (DEVICE, 1)
        assert is_refused(rig, "DS-306")
        client.sendall(b"y")
        assert client.recv(1) == b"y"
    wait_until(lambda: use(rig, "device")["streams"] == 0, "the stream to end")
    assert rig.echo()


def test_a_used_up_day_outlives_the_hub(prepared_rig):
    rig = prepared_rig
    rig.bring_up(quota="{preset: azure}")
    assert rig.echo(b"z" * 10_000)
    wait_until(lambda: use(rig, "hub")["streams"] == 0, "the stream to end")
    carried = use(rig, "hub")["bytes"]
    assert carried >= 20_000
    assert f"{carried} of 300000000 bytes today" in rig.admin("quota")
    rig.hub.stop()
    rig.set_hub_yaml(quota="{hub: {bytes_per_day: 20kB}}")
    rig.start_hub()
    rig.wait_online()
    assert use(rig, "hub")["bytes"] == carried
    assert is_refused(rig, "DS-307")
