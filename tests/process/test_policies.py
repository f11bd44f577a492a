"""Access policies against the real programs: what a rule allows, and what it ends when it is taken away."""
import json
import signal

import pytest
from tests.harness.programs import run
from tests.harness.rig import DEVICE


@pytest.fixture
def ops(own_rig):
    """The rig's service-proxy is of a policy that may reach nothing yet."""
    own_rig.service_cs = own_rig.remember(own_rig.admin("policy", "add", "ops"))
    (own_rig.directory / "service.cs").write_text(own_rig.service_cs + "\n")
    own_rig.service.stop()
    own_rig.service.start()
    own_rig.wait_ready()
    return own_rig


def echoes(rig):
    try:
        return rig.echo()
    except ConnectionResetError:
        return False


def reload(program):
    since = program.mark()
    program.signal(signal.SIGHUP)
    program.wait_for("configuration reloaded", since)


def test_ssh_reaches_what_the_policy_allows_and_nothing_more(ops):
    assert not echoes(ops), "a new policy allows nothing"
    ops.service.wait_for("DS-301 .*the policy does not allow this stream")
    assert "pump-* after_end,ssh" in ops.admin("policy", "allow", "ops", "pump-*", "ssh,after_end")
    assert run(ops.ssh("echo", "far", "side")).stdout == "far side\n"
    assert not echoes(ops), "another service"
    ops.hub.wait_for("DS-611.*service echo: no rule allows it: rule 1 ")
    ops.admin("policy", "allow", "ops", f"{DEVICE} echo")
    assert echoes(ops)


def test_taking_the_rule_away_ends_its_streams(ops):
    ops.admin("policy", "allow", "ops", "* echo")
    with ops.running_stream() as client:
        ops.admin("policy", "disallow", "ops", "* echo")
        client.settimeout(30)
        with pytest.raises(ConnectionResetError):
            assert client.recv(1) != b"", "a cut stream must not look like a clean end"
    ops.service.wait_for("DS-507")
    assert not echoes(ops)


def test_explain_says_what_decides_at_any_time(ops):
    ops.admin("policy", "allow", "ops", "pump-* ssh sat,sun UTC")
    words = ("policy", "explain", "ops", DEVICE, "ssh", "--at")
    assert ops.admin(*words, "2026-11-28T12:00Z").startswith("yes: rule 1 (pump-* ssh sat,sun UTC)")
    assert ops.admin(*words, "2026-11-27T23:59Z").startswith("no: ")
    answer = json.loads(ops.admin(*words, "2026-11-28T12:00Z", "--json"))
    assert answer["allowed"] is True and answer["rule"] == 1
    wrong = ops.admin("policy", "allow", "ops", "pump-* ssh sat", check=False)
    assert wrong.returncode == 64 and "DS-107" in wrong.stderr and "time zone" in wrong.stderr


def test_a_service_of_the_device_is_narrowed_to_policies(own_rig):
    path = own_rig.directory / "device-proxy.yaml"
    address = f"127.0.0.1:{own_rig.local_port('echo')}"
    narrowed = path.read_text().replace(
        f"  echo: {address}\n", f"  echo: {{address: '{address}', allow_from: [ops]}}\n"
    )
    path.write_text(narrowed)
    reload(own_rig.device)
    assert not echoes(own_rig), "the rig's policy is `service`"
    own_rig.device.wait_for("DS-405 .*echo, policy service")
    path.write_text(narrowed.replace("[ops]", "[ops, service]"))
    reload(own_rig.device)
    assert echoes(own_rig)
