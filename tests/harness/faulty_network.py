"""A network that misbehaves as planned: a relay between any two TCP endpoints, so it can stand on every leg.

A relay in user space cannot lose packets: what it swallows was acknowledged. That is what namespaces.py is for.
"""
import asyncio
import dataclasses
import itertools
import random
import socket
import threading

from .faulty_connection import BUFFER, FAULTS, WAYS, Connection, Plan, stop


def draw_plan(rng, most, **given):
    """A plan that strikes within the first `most` bytes, and often within the first few, when TLS is made."""
    plan = Plan(
        fault=rng.choice(FAULTS),
        way=rng.choice(WAYS),
        at=rng.randrange(rng.choice((4096, most, most))),
        delay=rng.choice((0, 0, 0.0005, 0.002)),
        rate=rng.choice((0, 0, 2_000_000, 8_000_000)),
        garbage=random.Random(rng.random()).randbytes(rng.randrange(1, 200)),
    )
    return dataclasses.replace(plan, **given)


class FaultyNetwork:
    """Listens on `address` and carries what connects there to `target`; plan_for(number) is a connection's plan.
    It runs in a thread of its own, or on the loop that it is given."""

    def __init__(self, target, address=("127.0.0.1", 0), loop=None):
        self.target = target
        self.plan_for = lambda number: Plan()
        self.connections = []
        self._numbers = itertools.count()
        self._holding = False
        self._listener = socket.create_server(address, backlog=256)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)  # connections inherit it
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._loop = loop or asyncio.new_event_loop()
        if loop:
            self._accepting = loop.create_task(self._accept_all())
        else:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    # --- for those that want to know, or to do more; called in the network's thread

    def accepted(self, connection):
        self.connections.append(connection)

    def striking(self, connection):
        """The planned fault strikes now: nothing that it causes was seen before."""

    def alter(self, connection, way, data):
        """What is passed on in place of `data`."""
        return data

    def ended(self, connection):
        pass

    # --- for tests, in any thread

    def open_connections(self):
        return [connection for connection in self.connections if not connection.closed]

    def heal(self):
        """Nothing more is going to happen; what is swallowed already stays so."""
        self.plan_for = lambda number: Plan()
        for connection in self.connections:
            connection.plan = Plan()
        self.release()

    def forget_swallowed(self):
        """Resets what was swallowed."""
        for connection in self.open_connections():
            if connection.swallowed:
                connection.reset()

    def hold_new(self):
        """Connections that are made from now on get nowhere until release()."""
        self._holding = True

    def hold(self, way):
        """The running connections carry nothing in this direction until release()."""
        self.call(lambda: [connection.gates[way].clear() for connection in self.connections])

    def release(self):
        self._holding = False
        self.call(lambda: [connection.open_gates() for connection in self.connections])

    def close(self):
        self.call(lambda: [task.cancel() for task in asyncio.all_tasks()])
        self._thread.join()

    def call(self, function):
        """Runs it in the thread of the network, so that it happens between two steps of the relay."""
        done = threading.Event()

        def run():
            function()
            done.set()

        self._loop.call_soon_threadsafe(run)
        assert done.wait(30), "the network's thread hangs"

    def _run(self):
        try:
            self._loop.run_until_complete(self._accept_all())
        except asyncio.CancelledError:
            pass
        finally:
            self._loop.run_until_complete(stop(asyncio.all_tasks(self._loop)))
            self._listener.close()
            self._loop.close()

    async def _accept_all(self):
        while True:
            near, _ = await self._loop.sock_accept(self._listener)
            try:
                connection = Connection(self, near, self.plan_for(next(self._numbers)))
            except OSError:  # gone already
                near.close()
                continue
            if not self._holding:
                connection.open_gates()
            connection.start()
            self.accepted(connection)
