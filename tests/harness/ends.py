"""The two ends of a stream as its programs see them: what they send, what they get, and how that ends."""
import array
import contextlib
import errno
import os
import select
import socket
import struct
import threading

from .programs import queued_bytes, wait_until

CLEAN, RESET = "EOF", "RST"
GIGABYTE = 1 << 30  # more than any test waits for: such a stream is cut in the middle of its bytes


def pattern(tag, start, count):
    """Bytes that say whose they are and where they belong: 8-byte words of a tag and a counter."""
    first, last = start // 8, (start + count + 7) // 8
    words = array.array("Q", range((tag << 40) + first, (tag << 40) + last))
    return memoryview(words).cast("B")[start - 8 * first : start - 8 * first + count]


def _peer_port(connection):
    try:
        return connection.getpeername()[1]
    except OSError:  # it was reset already
        return None


class End:
    """Owns a connected socket, and does everything with it in one thread: the kernel tells of a reset only once."""

    def __init__(self, connection, sends, expects, greeting=b""):
        connection.setblocking(False)
        self.port = connection.getsockname()[1]
        self.peer_port = _peer_port(connection)
        self.received = 0
        self.sent = 0
        self.wrong_at = None
        self.endings = []  # of CLEAN and RESET
        self._socket, self._sends, self._expects = connection, sends, expects
        self._greeting = greeting
        self.wanted = 0
        self._fin_wanted = self._fin_sent = False
        self._own_reset = self._closing = False
        self.reading = True
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # --- what a test tells it to do; returns at once

    def send(self, count):
        self.wanted += count
        self._nudge()

    def stop_sending(self):
        self.wanted = self.sent
        self._nudge()

    def fin(self):
        """Ends its direction when all is sent."""
        self._fin_wanted = True
        self._nudge()

    def reset(self):
        """Closes with RST instead of FIN."""
        self._own_reset = True
        self._nudge()
        self._thread.join()

    def stop_reading(self):
        self.reading = False
        self._nudge()

    def start_reading(self):
        self.reading = True
        self._nudge()

    def close(self):
        self._closing = True
        self._nudge()
        self._thread.join()

    # --- what became of it

    def was_reset(self):
        return RESET in self.endings

    def is_over(self):
        return not self._thread.is_alive()

    def unread(self):
        """What has come as far as to the program before this end, in bytes: here, or still on its way from there."""
        return queued_bytes(self.port, self.peer_port)

    def saw(self):
        return ", then ".join(self.endings + ["its own RST"] * self._own_reset) or "nothing"

    def wait_received(self, count):
        wait_until(lambda: self.received >= count or self.is_over(), lambda: f"{count} bytes; {self.describe()}")
        assert self.received >= count, self.describe()

    def wait_eof(self):
        wait_until(lambda: CLEAN in self.endings or self.is_over(), lambda: f"an end of file; {self.describe()}")
        assert CLEAN in self.endings, self.describe()

    def wait_over(self, seconds=None):
        wait_until(self.is_over, lambda: f"the end of a stream that hangs: {self.describe()}", seconds)

    def describe(self):
        return f"got {self.received} bytes, sent {self.sent} of {self.wanted}, saw {self.saw()}"

    # --- its thread

    def _nudge(self):
        self._wake.send(b"x")

    def _run(self):
        poller = select.poll()
        poller.register(self._woken, select.POLLIN)
        try:
            while not self._is_done():
                self._wait_for(poller, self._interest())
                ready = dict(poller.poll())
                if self._woken.fileno() in ready:
                    self._woken.recv(4096)
                self._step(ready.get(self._socket.fileno(), 0))
        except OSError as error:
            broken = error.errno in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN)
            self.endings.append(RESET if broken else os.strerror(error.errno))
        finally:
            if self._own_reset:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._socket.close()

    def _is_done(self):
        return self._own_reset or self._closing or (CLEAN in self.endings and self._fin_sent)

    def _wait_for(self, poller, interest):
        """Who does nothing meets no error either: what came before it is to be read first."""
        if interest or self.reading:
            poller.register(self._socket, interest)
        else:
            with contextlib.suppress(KeyError):
                poller.unregister(self._socket)

    def _interest(self):
        wants_input = self.reading and CLEAN not in self.endings
        has_output = self.sent < self.wanted or self._greeting
        return (select.POLLIN if wants_input else 0) | (select.POLLOUT if has_output else 0)

    def _step(self, ready):
        if ready & select.POLLERR:
            self._throw_error()
        if ready & select.POLLOUT:
            self._send_some()
        if self._fin_wanted and not self._fin_sent and not self._greeting and self.sent >= self.wanted:
            self._socket.shutdown(socket.SHUT_WR)
            self._fin_sent = True
        if ready & select.POLLIN and self.reading:
            self._read_some()

    def _throw_error(self):
        """Errors are met here only once everything was read that came before them, or could be."""
        if self.reading and CLEAN not in self.endings and self._read_some():
            return
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        raise OSError(error, os.strerror(error))

    def _send_some(self):
        if self._greeting:
            self._greeting = self._greeting[self._socket.send(self._greeting) :]
            return
        size = min(self.wanted - self.sent, 1 << 16)
        self.sent += self._socket.send(pattern(self._sends, self.sent, size))

    def _read_some(self):
        """False at the end of the direction, or when nothing is there."""
        try:
            data = self._socket.recv(1 << 18)
        except BlockingIOError:
            return False
        if not data:
            self.endings.append(CLEAN)
            return False
        if self.wrong_at is None and data != pattern(self._expects, self.received, len(data)):
            self.wrong_at = self.received
        self.received += len(data)
        return True


class Stream:
    """A stream with an End at both sides. The client greets with a number, so that its server is found."""

    greeting = struct.Struct(">Q")

    def __init__(self, number):
        self.number = number
        self.client = self.server = None

    def take_client(self, connection):
        self.client = End(connection, 2 * self.number, 2 * self.number + 1, self.greeting.pack(self.number))

    def take_server(self, connection):
        self.server = End(connection, 2 * self.number + 1, 2 * self.number)

    def ends(self):
        return [end for end in (self.client, self.server) if end]

    def close(self):
        for end in self.ends():
            end.close()

    def check_prefixes(self):
        for name, end, other in (("client", self.client, self.server), ("server", self.server, self.client)):
            if end is None:
                continue
            assert end.wrong_at is None, f"the {name} got wrong bytes from {end.wrong_at} on: {end.describe()}"
            assert other is None or end.received <= other.wanted, f"the {name} got more than was sent: {end.describe()}"

    def describe(self):
        server = self.server.describe() if self.server else "never connected"
        return f"stream {self.number}: client {self.client.describe()}; server {server}"
