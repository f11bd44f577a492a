"""Measures how soon a device that is removed is gone, and what a reload takes while streams run.

Both are asked for over the hub's admin socket, and the time runs from the request. Of a removed device: until the hub
has answered, and until the local client and the local server of every one of its streams have seen the end. Of a
reload, in which a setting changes each time: until it is in use. Meanwhile each stream carries a word back and forth,
again and again, and each word is checked.
"""
import argparse
import contextlib
import json
import pathlib
import selectors
import socket
import statistics
import tempfile
import time

from tests.harness.live_streams import LiveStreams
from tests.harness.rig import DEVICE, Rig, SERVICES

PATIENCE = 30


class Installation(Rig):
    """Has a service, `held`, of which it keeps both ends."""

    services = (*SERVICES, "held")

    def __init__(self, directory):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        super().__init__(directory)

    def local_port(self, service):
        return self.listener.getsockname()[1] if service == "held" else super().local_port(service)

    def open(self):
        """Both ends of a stream that has carried something."""
        client = self.connect("held")
        client.sendall(b"x")
        server, _ = self.listener.accept()
        server.settimeout(PATIENCE)
        assert server.recv(1) == b"x"
        return client, server

    def ask(self, **request):
        """A connection to the admin socket on which the request has gone out."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        connection.connect(str(self.hub_directory / "state/admin.sock"))
        connection.sendall(json.dumps(request).encode() + b"\n")
        return connection

    def let_in_again(self):
        self.device_cs = self.add_device(DEVICE)
        self.device.stop()
        self.write_proxy_configs()
        self.device.start()
        self.wait_online()


@contextlib.contextmanager
def installation():
    with tempfile.TemporaryDirectory(prefix="changes-") as folder:
        rig = Installation(pathlib.Path(folder) / "rig")
        try:
            yield rig.start()
        finally:
            rig.finish()
            rig.listener.close()


def until_each_ends(connections, begin):
    """Milliseconds from `begin` for each, in the same order. Resets are ends; what was still said is dropped."""
    ends = {}
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        while len(ends) < len(connections):
            ready = selector.select(PATIENCE)
            assert ready, f"{len(connections) - len(ends)} of {len(connections)} have not ended"
            for key, _ in ready:
                with contextlib.suppress(ConnectionError):
                    if key.fileobj.recv(65536):
                        continue
                ends[key.fileobj] = 1000 * (time.monotonic() - begin)
                selector.unregister(key.fileobj)
    return [ends[connection] for connection in connections]


def revoke(rig, count):
    """Milliseconds until the answer, and until the last client and the last server have seen the end."""
    clients, servers = zip(*(rig.open() for _ in range(count)))
    begin = time.monotonic()
    request = rig.ask(command="device remove", device=DEVICE)
    times = until_each_ends([request, *clients, *servers], begin)
    for connection in (request, *clients, *servers):
        connection.close()
    return times[0], max(times[1 : count + 1]), max(times[count + 1 :])


def show(name, times):
    print(f"{name:58}{len(times):7}{statistics.median(times):10.1f}{max(times):10.1f}", flush=True)


def measure_revocation(rounds, count):
    with installation() as rig:
        results = []
        for _ in range(rounds):
            results.append(revoke(rig, count))
            rig.let_in_again()
    what = f"{count} streams" if count > 1 else "1 stream"
    for name, times in zip(
        ("the hub answers", "the last client sees the end", "the last server sees the end"), zip(*results)
    ):
        show(f"device removed, {what}: {name}", times)
    show(f"device removed, {what}: all is over", [max(result[1:]) for result in results])


def reload(rig, linger):
    rig.set_hub_yaml(linger=f"{linger}ms")
    begin = time.monotonic()
    with rig.ask(command="reload") as request:
        answer = json.loads(request.makefile().readline())
    taken = 1000 * (time.monotonic() - begin)
    assert answer["result"]["changed"] == ["linger"], answer
    return taken


def measure_reload(rounds, count):
    with installation() as rig, LiveStreams(rig, count) as streams:
        times = []
        for number in range(rounds):
            times.append(reload(rig, 6000 + number))
            streams.wait_for_rounds(1)
        streams.wait_for_rounds(2)
        words = streams.rounds * count
    show(f"reload under {count} streams", times)
    print(f"words carried and checked meanwhile: {words}; broken streams: {len(streams.broken)}")


def main():
    parser = argparse.ArgumentParser(
        prog="scripts/bench changes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--streams", type=int, default=200)
    arguments = parser.parse_args()
    print(f"{'ms':58}{'rounds':>7}{'median':>10}{'longest':>10}")
    measure_revocation(arguments.rounds, 1)
    measure_revocation(max(1, arguments.rounds // 4), arguments.streams)
    measure_reload(arguments.rounds, arguments.streams)


if __name__ == "__main__":
    main()
