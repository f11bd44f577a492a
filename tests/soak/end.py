"""One end of a stream: sends its pattern, checks what arrives, and ends as its plan says."""
import socket
import struct
import time

from .loop import READ, WRITE
from .pattern import Checker, Pattern

CHUNK = 256 << 10
_RESET = struct.pack("ii", 1, 0)
_room = bytearray(CHUNK)


def reset(sock):
    """Closes with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.close()


class End:
    """`moved()` is called after each change. When `over` is true, one of `clean`, `aborted`, `broken` says how."""

    def __init__(self, loop, sock, plan, outgoing, incoming, moved):
        self.loop, self.sock, self.plan, self.moved = loop, sock, plan, moved
        self.outgoing, self.checker = Pattern(*outgoing), Checker(*incoming)
        self.sent = 0
        self.hold = plan.hold
        self.finished = False  # its own direction
        self.ended = False  # the other direction
        self.paused = False
        self.over = False
        self.clean = self.aborted = False
        self.broken = ""
        self._pauses = list(plan.pauses)
        self.last_progress = time.monotonic()
        loop.watch(sock.fileno(), WRITE, self._serve)

    def release(self):
        self.hold = 0
        self._serve()

    def take(self, data):
        """Bytes that somebody read before this object was there."""
        self._receive(data)

    def give_up(self):
        if not self.over:
            self._abort()

    @property
    def received(self):
        return self.checker.received

    def _serve(self):
        if self.over:
            return
        try:
            self._read()
            self._write()
        except BlockingIOError:
            pass
        except OSError as error:
            self._end(broken=error.strerror or str(error))
        if not self.over:
            self._continue()
        self.moved(self)

    def _continue(self):
        if self.finished and self.ended:
            return self._end(clean=True)
        reads = not self.ended and not self.paused
        writes = self._allowed() > 0 or (not self.finished and self._may_finish())
        self.loop.watch(self.sock.fileno(), (READ if reads else 0) | (WRITE if writes else 0), self._serve)

    def _end(self, clean=False, aborted=False, broken=""):
        self.over, self.clean, self.aborted, self.broken = True, clean, aborted, broken
        self.loop.forget(self.sock.fileno())
        if clean or broken:
            self.sock.close()
        else:
            reset(self.sock)

    def _abort(self):
        self._end(aborted=True)

    # --- receiving

    def _read(self):
        for _ in range(2):
            if self.over or self.ended or self.paused:
                return
            try:
                size = self.sock.recv_into(_room)
            except BlockingIOError:
                return
            if size == 0:
                self.ended = True
                self.last_progress = time.monotonic()
            else:
                self._receive(_room[:size])

    def _receive(self, data):
        self.last_progress = time.monotonic()
        if not self.checker.feed(data):
            return self._abort()
        if self.plan.abort and self.plan.abort[0] == "received" and self.received > self.plan.abort[1]:
            return self._abort()
        if self._pauses and self.received > self._pauses[0][0]:
            self.paused = True
            self.loop.after(self._pauses.pop(0)[1], self._go_on)

    def _go_on(self):
        self.paused = False
        self._serve()

    # --- sending

    def _reached(self, rule):
        return self.ended or self.received >= rule

    def _allowed(self):
        """How many bytes may be sent now."""
        if self.finished or not self._reached(self.plan.start):
            return 0
        limit = self.hold or self.outgoing.size
        if self.plan.abort and self.plan.abort[0] == "sent":
            limit = min(limit, self.plan.abort[1])
        return limit - self.sent

    def _may_finish(self):
        everything = self.sent == self.outgoing.size and not self.hold
        return everything and self._reached(self.plan.start) and self._reached(self.plan.finish)

    def _write(self):
        for _ in range(2):
            if self.over:
                return
            allowed = self._allowed()
            if allowed <= 0:
                break
            self.sent += self.sock.send(self.outgoing.part(self.sent, min(allowed, CHUNK)))
            self.last_progress = time.monotonic()
        if self.plan.abort == ("sent", self.sent) and self._reached(self.plan.start):
            self._abort()
        elif self._may_finish() and not self.finished:
            self.sock.shutdown(socket.SHUT_WR)
            self.finished = True
