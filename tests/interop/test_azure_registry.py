"""The Registry of azure-iothub from npm, unmodified, manages the hub's identities. It knows port 443 only, so its hub
listens there on a loopback address of its own."""
import json
import socket

import pytest
from tests.harness.programs import wait_until
from tests.harness.rig import Rig
from tests.harness.wire import parse_connection_string

ADDRESS = "127.83.77.18"


@pytest.fixture(scope="module")
def registry_rig(tmp_path_factory):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, 443))
        except PermissionError:
            pytest.skip("only root may listen on port 443")
    rig = Rig(tmp_path_factory.mktemp("registry"), host=ADDRESS)
    rig.hub_port, rig.mqtt_port = 443, 8883
    rig.policies = {}
    try:
        rig.init()
        rig.start_hub()
        for name, permissions in (("keeper", ["registry-read", "registry-write"]), ("reader", ["registry-read"])):
            options = [word for permission in permissions for word in ("--permission", permission)]
            added = rig.admin("policy", "add", name, *options)
            rig.policies[name] = rig.remember(added.strip().splitlines()[-1])
        yield rig
    finally:
        rig.finish()


@pytest.fixture
def registry(registry_rig, node):
    """registry([method, argument, ...], ...) calls the SDK and returns its answers."""

    def call(*calls, policy="keeper"):
        lines = "\n".join([registry_rig.policies[policy], *map(json.dumps, calls)]) + "\n"
        answers = node("azure_registry.js", registry_rig.ca_file, input=lines).stdout.splitlines()
        answers = [json.loads(answer) for answer in answers]
        for answer in answers:
            remember_keys(registry_rig, answer.get("result"))
        assert len(answers) == len(calls)
        return answers

    return call


def remember_keys(rig, result):
    for identity in result if isinstance(result, list) else [result]:
        if isinstance(identity, dict) and "authentication" in identity:
            rig.secrets |= {key for key in identity["authentication"]["symmetricKey"].values() if key}


def keys_of(answer):
    keys = answer["result"]["authentication"]["symmetricKey"]
    return keys["primaryKey"], keys["secondaryKey"]


def test_a_device_lives_from_create_to_delete(registry, registry_rig):
    created, found, listed = registry(["create", {"deviceId": "life"}], ["get", "life"], ["list"])
    assert (created["status"], created["result"]["status"], created["result"]["deviceId"]) == (200, "enabled", "life")
    assert keys_of(found) == keys_of(created)
    assert all(len(key) == 44 for key in keys_of(created))
    assert [device["deviceId"] for device in listed["result"]] == ["life"]
    assert "life" in registry_rig.admin("device", "list")

    device = {**found["result"], "status": "disabled", "statusReason": "in repair"}
    updated, found, deleted, gone = registry(["update", device], ["get", "life"], ["delete", "life"], ["get", "life"])
    assert (updated["result"]["status"], found["result"]["statusReason"]) == ("disabled", "in repair")
    assert keys_of(found) == keys_of(created)
    assert updated["result"]["etag"] != created["result"]["etag"]
    assert updated["result"]["generationId"] == created["result"]["generationId"]
    assert deleted["status"] == 204
    assert (gone["error"], gone["status"]) == ("DeviceNotFoundError", 404)


def test_keys_are_regenerated_by_an_update_without_keys(registry, registry_rig, node_program):
    """The package has no call of its own for that: an update that names no keys asks for new ones."""
    created = registry(["create", {"deviceId": "rotated"}])[0]
    host = parse_connection_string(registry_rig.policies["keeper"])["HostName"]
    device_cs = f"HostName={host};DeviceId=rotated;SharedAccessKey="
    before = node_program(
        "azure_device.js",
        "Mqtt",
        stdin=device_cs + keys_of(created)[0] + "\n",
        ca_file=registry_rig.ca_file,
        keep_open=True,
    )
    before.wait_for("telemetry acknowledged")

    regenerated = registry(["update", {"deviceId": "rotated"}])[0]
    assert not set(keys_of(regenerated)) & set(keys_of(created))
    wait_until(lambda: not registry_rig.is_online("rotated"), "the link of the old key to end")
    for key, word in ((keys_of(created)[0], "failed UnauthorizedError"), (keys_of(regenerated)[1], "acknowledged")):
        program = node_program(
            "azure_device.js", "Mqtt", stdin=device_cs + key + "\n", ca_file=registry_rig.ca_file, keep_open=True
        )
        program.wait_for(word)


def test_modules_live_from_add_to_remove(registry):
    registry(["create", {"deviceId": "owner"}])
    module = {"deviceId": "owner", "moduleId": "tunnel"}
    added, found, listed = registry(
        ["addModule", module], ["getModule", "owner", "tunnel"], ["getModulesOnDevice", "owner"]
    )
    assert added["status"] == 200
    assert keys_of(found) == keys_of(added)
    assert [module["moduleId"] for module in listed["result"]] == ["tunnel"]

    key = "MDEyMzQ1Njc4OWFiY2RlZg=="
    changed = {**found["result"], "authentication": {"symmetricKey": {"primaryKey": key, "secondaryKey": key}}}
    updated, late, removed, gone = registry(
        ["updateModule", changed],
        ["updateModule", changed],
        ["removeModule", "owner", "tunnel"],
        ["getModule", "owner", "tunnel"],
    )
    assert keys_of(updated) == (key, key)
    assert (late["error"], late["status"]) == ("InvalidEtagError", 412)
    assert removed["status"] == 204
    assert gone["status"] == 404


def test_certificates_are_told_by_thumbprint_or_authority(registry):
    thumbprint = "AB" * 20
    known, trusted, found = registry(
        ["create", {"deviceId": "pinned", "authentication": {"x509Thumbprint": {"primaryThumbprint": thumbprint}}}],
        ["create", {"deviceId": "signed", "authentication": {"type": "certificateAuthority"}}],
        ["get", "pinned"],
    )
    assert known["result"]["authentication"]["type"] == "selfSigned"
    assert trusted["result"]["authentication"]["type"] == "certificateAuthority"
    assert found["result"]["authentication"]["x509Thumbprint"]["primaryThumbprint"] == thumbprint


def test_the_package_tells_errors_apart(registry):
    first, again, invalid, missing, orphan = registry(
        ["create", {"deviceId": "once"}],
        ["create", {"deviceId": "once"}],
        ["create", {"deviceId": "bad", "status": "asleep"}],
        ["update", {"deviceId": "nobody"}],
        ["addModule", {"deviceId": "nobody", "moduleId": "m"}],
    )
    assert first["status"] == 200
    assert (again["error"], again["status"]) == ("DeviceAlreadyExistsError", 409)
    assert (invalid["error"], invalid["text"]) == ("ArgumentError", "status: must be enabled or disabled")
    assert (missing["error"], orphan["error"]) == ("DeviceNotFoundError", "DeviceNotFoundError")


def test_ids_with_awkward_characters_are_managed(registry):
    device = "a%b@c:d#e$(f)'!"
    created, found, deleted = registry(["create", {"deviceId": device}], ["get", device], ["delete", device])
    assert (created["status"], found["result"]["deviceId"], deleted["status"]) == (200, device, 204)


def test_a_policy_does_only_what_it_permits(registry, registry_rig):
    registry(["create", {"deviceId": "guarded"}])
    found, refused = registry(["get", "guarded"], ["delete", "guarded"], policy="reader")
    assert found["status"] == 200
    assert (refused["error"], refused["status"]) == ("UnauthorizedError", 401)
    assert "guarded" in registry_rig.admin("device", "list")


def test_operations_that_are_not_served_say_so(registry):
    answers = registry(["getTwin", "pump-17"], ["getModuleTwin", "pump-17", "m"], ["getRegistryStatistics"])
    assert [answer["status"] for answer in answers] == [501] * 3
    assert answers[0]["text"] == "twins are not served by this hub"
