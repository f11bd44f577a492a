"""The hub's resource log under logrotate, and on a disk that is full."""
import json
import os
import signal

from tests.harness.programs import wait_until
from tests.harness.secrets import find_leaks


def stream_records(*files):
    """(decisions, ends) of all streams."""
    records = [json.loads(line) for file in files if file.exists() for line in file.read_text().splitlines()]
    streams = [record for record in records if record["category"] == "DeviceStreams"]
    return (
        [record for record in streams if record["operationName"] == "invoke"],
        [record for record in streams if record["operationName"] == "streamEnd"],
    )


def test_no_record_is_lost_while_the_file_is_rotated(prepared_rig):
    rig, file = prepared_rig, prepared_rig.directory / "resource.log"
    rig.bring_up(resource_log=file)
    old_files = []
    for number in range(3):
        for _ in range(5):
            assert rig.echo()
        old_files.append(file.with_suffix(f".{number}"))
        file.rename(old_files[-1])
        since = rig.hub.mark()
        rig.hub.signal(signal.SIGHUP)
        assert rig.echo()
        rig.hub.wait_for("configuration reloaded", since)
        wait_until(file.exists, "a new file")
        assert file.stat().st_mode & 0o777 == 0o640
    everything = [*old_files, file]
    wait_until(lambda: len(stream_records(*everything)[1]) == 18, "the ends of all streams to be recorded")
    decisions, ends = stream_records(*everything)
    names = [{json.loads(record["properties"])["requestName"] for record in records} for records in (decisions, ends)]
    assert names[0] == names[1] and len(names[0]) == len(decisions) == 18
    for written in everything:
        assert not find_leaks(written.read_text(), rig.secrets)


def test_a_full_disk_is_reported_once_and_stops_no_stream(prepared_rig):
    rig = prepared_rig
    rig.bring_up(resource_log="/dev/full")
    for _ in range(5):
        assert rig.echo()
    rig.hub.wait_for("DS-621.*No space left")
    assert rig.hub.output().count("DS-621") == 1
    file = rig.directory / "resource.log"
    rig.set_hub_yaml(resource_log=file)
    rig.hub.signal(signal.SIGHUP)
    wait_until(file.exists, "the new file")
    assert rig.echo()
    lost = rig.hub.wait_for(r'written again.*"records_lost":\s*"?(\d+)')
    assert int(lost[1]) >= 10 and os.path.getsize(file) > 0
