"""A relay that is far away: whatever passes it, the making of a connection too, takes its time."""
import asyncio
import contextlib
import threading


class Relays:
    """For each leg that is asked for, one relay at an address of its own, on the port that the leg leads to."""

    addresses = {"service": "127.0.0.2", "device": "127.0.0.3"}

    def __init__(self, roles, delay):
        """`roles`: who dials the legs that are slow. `delay`: seconds, each way."""
        self._roles, self._delay = roles, delay
        self._servers = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._end_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def leg(self, role, port):
        """Where `role` finds what listens on 127.0.0.1:port."""
        if role not in self._roles:
            return "127.0.0.1"
        if (role, port) not in self._servers:
            listen = asyncio.start_server(lambda *near: self._carry(port, *near), self.addresses[role], port)
            self._servers[role, port] = asyncio.run_coroutine_threadsafe(listen, self._loop).result()
        return self.addresses[role]

    async def _end_all(self):
        for server in self._servers.values():
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _carry(self, port, near_reader, near_writer):
        """TCP's own round trip: the far side hears of the connection one delay after now, the near side that it stands
        after two, and only then its first bytes set out."""
        begin = self._loop.time()
        far_writer = None
        try:
            await asyncio.sleep(self._delay)
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(self._pump(near_reader, far_writer, begin + 2 * self._delay),
                                 self._pump(far_reader, near_writer, 0))
        except OSError:
            pass  # the connection ended with a reset, and so does the other one
        finally:
            for writer in filter(None, (near_writer, far_writer)):
                writer.close()

    async def _pump(self, reader, writer, earliest):
        under_way = asyncio.Queue()

        async def read():
            data = True
            while data:
                data = await reader.read(1 << 16)
                under_way.put_nowait((max(self._loop.time(), earliest) + self._delay, data))

        async def write():
            data = True
            while data:
                due, data = await under_way.get()
                await asyncio.sleep(due - self._loop.time())
                writer.write(data)
                await writer.drain()
            with contextlib.suppress(OSError):
                writer.write_eof()
        await asyncio.gather(read(), write())
