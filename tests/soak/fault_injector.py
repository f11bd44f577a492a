"""Damage that the soak is not told of, on the plain connections of clients: proves that the soak finds it."""

KINDS = ("flip", "drop", "repeat", "cross", "fin", "reset", "hang")
WHEN = 100_000  # bytes have passed in this direction
SIZE = 1000


class FaultInjector:
    """Strikes a few connections, once each."""

    def __init__(self, kind, times=3):
        self.kind, self.left = kind, times
        self.done = set()
        self.held = None  # what another connection shall get

    def alter(self, connection, way, data):
        """Returns what is passed on in place of `data`."""
        if connection.passed[way] < WHEN or len(data) < 2 * SIZE or not self.left:
            return data
        if connection.stream is not None or connection in self.done:
            return data  # the soak has plans of its own for it
        self.done.add(connection)
        self.left -= 1
        return getattr(self, "_" + self.kind)(connection, data)

    def _flip(self, connection, data):
        return data[:SIZE] + bytes([data[SIZE] ^ 1]) + data[SIZE + 1 :]

    def _drop(self, connection, data):
        return data[:SIZE] + data[2 * SIZE :]

    def _repeat(self, connection, data):
        return data[:SIZE] + data

    def _cross(self, connection, data):
        """The first only gives what the others get."""
        other, self.held = self.held or data, data
        return other[:SIZE] + data[SIZE:]

    def _fin(self, connection, data):
        connection.apply("end")
        return data

    def _reset(self, connection, data):
        connection.apply("reset")
        return data

    def _hang(self, connection, data):
        connection.apply("stall")
        return data
