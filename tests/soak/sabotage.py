"""Damage that the soak is not told of, on the plain connections of clients: proves that the soak finds it."""
from .end import reset

KINDS = ("flip", "drop", "repeat", "cross", "fin", "reset", "hang")
WHEN = 100_000  # bytes have passed in this direction
SIZE = 1000


class Sabotage:
    """Strikes a few connections, once each."""

    def __init__(self, kind, times=3):
        self.kind, self.left = kind, times
        self.done = set()
        self.held = None  # what another connection shall get

    def meddle(self, passage, flow, data):
        """Returns what is passed on in place of `data`."""
        if passage.leg.name != "client" or flow.count - len(data) < WHEN or len(data) < 2 * SIZE or not self.left:
            return data
        if passage.stream is not None or passage in self.done:
            return data  # the soak has plans of its own for it
        self.done.add(passage)
        self.left -= 1
        return getattr(self, "_" + self.kind)(passage, bytes(data))

    def _flip(self, passage, data):
        return data[:SIZE] + bytes([data[SIZE] ^ 1]) + data[SIZE + 1:]

    def _drop(self, passage, data):
        return data[:SIZE] + data[2 * SIZE:]

    def _repeat(self, passage, data):
        return data[:SIZE] + data

    def _cross(self, passage, data):
        """The first only gives what the others get."""
        other, self.held = self.held or data, data
        return other[:SIZE] + data[SIZE:]

    def _fin(self, passage, data):
        passage.end_early()
        return data

    def _reset(self, passage, data):
        passage.close(reset)
        return data

    def _hang(self, passage, data):
        passage.pause(3600)
        return data
