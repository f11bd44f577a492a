"""One thread that serves many sockets and timers."""
import heapq
import itertools
import select
import time

READ, WRITE = select.EPOLLIN, select.EPOLLOUT


class Timer:
    def __init__(self, action):
        self.action = action

    def cancel(self):
        self.action = None


class Loop:
    """Handlers take no arguments: what an event said may be stale by the time it is handled, so they ask the socket."""

    def __init__(self):
        self._poll = select.epoll()
        self._handlers = {}
        self._watched = {}
        self._timers = []
        self._order = itertools.count()

    def watch(self, fd, events, handler):
        """Sets what is waited for. With no events the socket is left alone entirely, errors included."""
        before = self._watched.get(fd, 0)
        self._handlers[fd] = handler
        if events == before:
            return
        self._watched[fd] = events
        if not before:
            self._poll.register(fd, events)
        elif not events:
            self._poll.unregister(fd)
        else:
            self._poll.modify(fd, events)

    def forget(self, fd):
        """To be called before the socket is closed."""
        if self._watched.pop(fd, 0):
            self._poll.unregister(fd)
        self._handlers.pop(fd, None)

    def after(self, seconds, action):
        timer = Timer(action)
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), timer))
        return timer

    def turn(self, longest=0.2):
        """Serves what is ready, waiting for at most `longest` seconds for it."""
        wait = longest
        if self._timers:
            wait = max(0.0, min(wait, self._timers[0][0] - time.monotonic()))
        for fd, _ in self._poll.poll(wait, 256):
            handler = self._handlers.get(fd)
            if handler and self._watched.get(fd):
                handler()
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.action:
                timer.action()
