"""Streams that are used all the time, to see whether a change breaks one."""
import threading

from .programs import wait_until


class LiveStreams:
    """Streams to the echo service that exchange a numbered word all the time, and check it."""

    def __init__(self, rig, count):
        self.clients = [rig.connect("echo") for _ in range(count)]
        self.rounds, self.broken, self._stop = 0, [], threading.Event()
        self._thread = threading.Thread(target=self._exchange)

    def __enter__(self):
        self._thread.start()
        self.wait_for_rounds(1)
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        for client in self.clients:
            client.close()

    def _exchange(self):
        while not self._stop.is_set() and not self.broken:
            words = {client: b"%08d%08d" % (self.rounds, client.fileno()) for client in self.clients}
            try:
                for client, word in words.items():
                    client.sendall(word)
                for client, word in words.items():
                    received = b""
                    while len(received) < len(word):
                        received += client.recv(len(word) - len(received)) or b"END" * len(word)
                    if received != word:
                        self.broken.append(f"{received} instead of {word}")
            except OSError as error:
                self.broken.append(str(error))
            self.rounds += 1

    def wait_for_rounds(self, count):
        target = self.rounds + count
        wait_until(lambda: self.rounds >= target or self.broken, "all streams to exchange words")
        assert not self.broken
