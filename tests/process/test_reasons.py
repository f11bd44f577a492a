"""Why something failed reaches who needs to know: through all programs, and past a lost standard error."""
import json
import os
import subprocess

import pytest
from tests.harness.programs import BIN, PATIENCE, Program, run, wait_until
from tests.harness.rig import DEVICE, Rig


def lines_of(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("service, code", [("missing", "DS-401"), ("refused", "DS-402"), ("black_hole", "DS-403")])
def test_the_devices_reason_stands_in_all_three_logs(rig, service, code):
    marks = {program: program.mark() for program in (rig.hub, rig.device, rig.service)}
    with rig.connect(service) as client, pytest.raises(ConnectionResetError):
        client.recv(1)
    for program, mark in marks.items():
        program.wait_for(code, mark)
    hub = [line for line in lines_of(rig.hub.output()[marks[rig.hub] :]) if "rejected" in line["message"]]
    assert [line["code"] for line in hub] == [code]
    told = rig.hub.output()[marks[rig.hub] :] + rig.service.output()[marks[rig.service] :]
    if service != "missing":
        assert f"127.0.0.1:{rig.local.port(service)}" not in told, "nothing of the device's network"


@pytest.fixture(params=[False, True], ids=["websocket", "mqtt"])
def cloned_rig(tmp_path, request):
    rig = Rig(tmp_path / "rig", mqtt_transport=request.param)
    try:
        yield rig.start()
    finally:
        rig.finish()


def links_up(rig):
    return rig.hub.output().count('"device link up"')


def test_a_cloned_device_is_told_and_stays_away(cloned_rig):
    """Two machines that use one identity: each takeover is told to the other one, which does not take over at once."""
    rig = cloned_rig
    config = (rig.directory / "device-proxy.yaml").read_text().replace("longest: 1s", "longest: 30s")
    (rig.directory / "clone.yaml").write_text(config)
    (rig.directory / "device-proxy.yaml").write_text(config)
    rig.device.stop()
    rig.device.start()
    rig.wait_online()
    before = links_up(rig)
    clone = Program("clone", [BIN / "device-proxy", "--config", rig.directory / "clone.yaml"], rig.directory)
    rig.extra_programs.append(clone)
    clone.start()
    clone.wait_for('"linked to the hub"')
    told = rig.device.wait_for(r'DS-606.*a machine at 127\.0\.0\.1 uses this device id.*"retry_in_ms":(\d+)')
    assert 15_000 <= int(told[1]) <= 30_000
    assert "1011" not in rig.device.output()
    rig.wait_online()
    assert rig.works(), "the one that is linked serves"
    assert links_up(rig) == before + 1
    # Who was thrown out and is started anew does not wait: that is a decision of its owner.
    rig.device.stop()
    rig.device.start()
    clone.wait_for("DS-606")
    wait_until(lambda: links_up(rig) == before + 2, "one takeover and no more")


def test_a_device_that_is_restarted_hard_is_back_at_once(cloned_rig):
    rig = cloned_rig
    for _ in range(3):
        rig.device.kill()
        rig.device.start()
        rig.wait_online()
        assert rig.works()
    assert "DS-606" not in rig.device.output()


def stdio(rig, config, target, **options):
    command = [BIN / "service-proxy", "--config", config, "--stdio", target]
    return run(command, check=False, **options)


def test_the_last_error_of_stdio_is_kept_where_standard_error_is_lost(rig, tmp_path):
    config = rig.directory / "stdio.yaml"
    config.write_text(rig.hub_section("service.cs"))
    kept = tmp_path / "state/device-streams/last-error"

    def end_of(config, target):
        command = [BIN / "service-proxy", "--config", config, "--stdio", target]
        environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
        lost = {name: subprocess.DEVNULL for name in ("stdin", "stdout", "stderr")}
        return subprocess.run(command, env=environment, timeout=PATIENCE, **lost).returncode

    def kept_line():
        assert kept.stat().st_mode & 0o777 == 0o600
        assert not any(secret in kept.read_text() for secret in rig.secrets)
        return json.loads(kept.read_text())

    assert end_of(config, f"{DEVICE}/echo") == 0
    assert not kept.exists()
    assert end_of(config, "pump-99/ssh") == 68
    line = kept_line()
    assert "DS-302" in line["message"] and line["destination"] == "pump-99/ssh" and line["time"]
    config.write_text("colour: blue\n" + config.read_text())
    assert end_of(config, "pump-98") == 78
    line = kept_line()
    assert "DS-101" in line["message"] and "colour" in line["message"] and line["destination"] == "pump-98"


def test_the_log_goes_to_a_file_that_may_be_rotated(rig, tmp_path):
    log, config = tmp_path / "proxy.log", rig.directory / "logged.yaml"
    config.write_text(rig.hub_section("service.cs") + f"log: {{file: {log}}}\n")
    done = stdio(rig, config, f"{DEVICE}/missing")
    assert (done.stderr, log.stat().st_mode & 0o777) == ("", 0o600)
    assert "DS-401" in log.read_text()
    log.rename(tmp_path / "proxy.log.1")
    stdio(rig, config, f"{DEVICE}/missing")
    assert "DS-401" in log.read_text()


def test_ids_are_case_sensitive_and_ssh_is_told_so(rig):
    config = rig.directory / "stdio.yaml"
    config.write_text(rig.hub_section("service.cs"))
    rig.add_device("Pump-Upper")
    done = stdio(rig, config, "pump-upper/ssh")
    assert "DS-302" in done.stderr and "there is Pump-Upper" in done.stderr


def test_every_program_logs_to_its_file(tmp_path):
    """Also after it was rotated away, without a signal."""
    rig = Rig(tmp_path / "rig").init()
    logs = {name: tmp_path / f"{name}.log" for name in ("stream-hub", "device-proxy", "service-proxy")}
    try:
        rig.sshd.start()
        rig.set_hub_yaml(log=f"{{file: {logs['stream-hub']}}}")
        rig.start_hub()
        rig.device_cs = rig.add_device(DEVICE)
        rig.write_proxy_configs()
        for name in ("device-proxy", "service-proxy"):
            with open(rig.directory / f"{name}.yaml", "a") as config:
                config.write(f"log:\n  file: {logs[name]}\n")
        rig.device.start()
        rig.service.start()
        rig.wait_ready()
        for log in logs.values():
            assert '"ready"' in log.read_text()
            log.rename(f"{log}.1")
        assert rig.works()
        for log in logs.values():
            wait_until(lambda log=log: log.exists() and "stream" in log.read_text(), f"{log} to be made again")
    finally:
        rig.finish()
    assert not any(program.output() for program in rig.programs()), "standard error has nothing"
