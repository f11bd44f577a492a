"""Measures what linked devices that send tiny MQTT packets without end cost the hub, and what an opening on another
device notices of them.

Each sends as fast as the hub takes it: answers to requests that nobody made, subscriptions to what it has subscribed
to, or subscriptions and their end in turn. cores: of the hub, while they send; the honest device's openings, 50 a
second at most, are in it.
"""
import argparse
import contextlib
import multiprocessing
import pathlib
import statistics
import tempfile
import time

from tests.harness.rig import Rig
from tests.harness.wire import mqtt_login, mqtt_packet, mqtt_string, mqtt_subscribe, read_mqtt, tls_connect

REQUESTS = "$iothub/streams/POST/#"
UNSUBSCRIBE = mqtt_packet(0xA2, b"\0\3" + mqtt_string(REQUESTS))
KINDS = {
    "invented answers": mqtt_packet(0x30, mqtt_string("$iothub/streams/res/200/?$rid=4711")),
    "subscriptions": mqtt_subscribe(REQUESTS),
    "on and off": mqtt_subscribe(REQUESTS) + UNSUBSCRIBE,
}
COUNTS = (1, 4, 8)


def send_for_ever(port, ca_file, credential, packets):
    block = packets * (16_000 // len(packets))
    with tls_connect(port, ca_file, timeout=600) as connection:
        connection.sendall(mqtt_login(credential) + mqtt_subscribe(REQUESTS))
        assert read_mqtt(connection) == (0x20, b"\0\0")
        connection.setblocking(False)
        waiting = memoryview(block)
        while True:
            with contextlib.suppress(BlockingIOError, OSError):
                waiting = waiting[connection.send(waiting) :] or memoryview(block)
            with contextlib.suppress(BlockingIOError, OSError):
                while connection.recv(65536):
                    pass
            time.sleep(0.001)


@contextlib.contextmanager
def noise(rig, credentials, packets):
    senders = [
        multiprocessing.Process(target=send_for_ever, args=(rig.mqtt_port, rig.ca_file, credential, packets))
        for credential in credentials
    ]
    for sender in senders:
        sender.start()
    try:
        time.sleep(2)
        yield
        assert all(sender.is_alive() for sender in senders), "the hub has ended the link of one"
    finally:
        for sender in senders:
            sender.kill()
            sender.join()


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def open_streams(rig, seconds):
    """Milliseconds each, from connecting until the first byte is back; and the hub's use of processors meanwhile."""
    times = []
    begin, used = time.monotonic(), processor_seconds(rig.hub.pid)
    while time.monotonic() < begin + seconds:
        start = time.monotonic()
        with rig.connect("echo") as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        times.append(1000 * (time.monotonic() - start))
        time.sleep(0.02)
    return times, (processor_seconds(rig.hub.pid) - used) / (time.monotonic() - begin)


def show(name, count, times, cores):
    high = statistics.quantiles(times, n=100)[-1] if len(times) > 1 else times[0]
    print(f"{name:20}{count:8}{len(times):10}{statistics.median(times):10.1f}{high:10.1f}{cores:8.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(
        prog="scripts/bench noisy-devices", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10)
    seconds = parser.parse_args().seconds
    print(f"{'noise':20}{'devices':>8}{'openings':>10}{'p50 ms':>10}{'p99 ms':>10}{'cores':>8}")
    with tempfile.TemporaryDirectory(prefix="noise-") as folder:
        rig = Rig(pathlib.Path(folder) / "rig")
        try:
            rig.start()
            credentials = [rig.add_device(f"noisy-{number}") for number in range(max(COUNTS))]
            open_streams(rig, 1)
            show("none", 0, *open_streams(rig, seconds))
            for name, packets in KINDS.items():
                for count in COUNTS:
                    with noise(rig, credentials[:count], packets):
                        show(name, count, *open_streams(rig, seconds))
        finally:
            rig.finish()


if __name__ == "__main__":
    main()
