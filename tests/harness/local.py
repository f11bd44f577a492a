"""Local services for the device side to connect to, in threads of the test process."""
import contextlib
import functools
import http.server
import socket
import socketserver
import threading


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256


class _Echo(socketserver.BaseRequestHandler):
    """Sends back what it gets; ends its direction when the other end has ended its own."""

    def handle(self):
        self.server.connections += 1
        with contextlib.suppress(OSError):
            while data := self.request.recv(65536):
                self.request.sendall(data)
            self.request.shutdown(socket.SHUT_WR)


class _AfterEnd(socketserver.BaseRequestHandler):
    """Reads to the end of file and only then answers: works only where one direction can end alone."""

    def handle(self):
        with contextlib.suppress(OSError):
            count = 0
            while data := self.request.recv(65536):
                count += len(data)
            self.request.sendall(f"{count} bytes\n".encode())


class _Resetter(socketserver.BaseRequestHandler):
    """Answers one byte with a reset."""

    def handle(self):
        with contextlib.suppress(OSError):
            self.request.recv(1)
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.request.close()


class _QuietFiles(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass


class BlackHole:
    """Listens, but its queue is full: the kernel drops each further SYN, as a firewall would."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.address = self.listener.getsockname()
        self.fillers = []
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(self.address)
            self.fillers.append(filler)

    def close(self):
        for held in [*self.fillers, self.listener]:
            held.close()


class LocalServices:
    """echo, web, after_end, resetter and black_hole, each with a `port`."""

    def __init__(self, web_root):
        self.servers = {
            "echo": _Server(("127.0.0.1", 0), _Echo),
            "after_end": _Server(("127.0.0.1", 0), _AfterEnd),
            "resetter": _Server(("127.0.0.1", 0), _Resetter),
            "web": _Server(("127.0.0.1", 0), functools.partial(_QuietFiles, directory=str(web_root))),
        }
        for server in self.servers.values():
            server.connections = 0
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.black_hole = BlackHole()
        self._closed = socket.socket()
        self._closed.bind(("127.0.0.1", 0))  # bound, never listening: connecting is refused

    def port(self, name):
        if name == "black_hole":
            return self.black_hole.address[1]
        if name == "refused":
            return self._closed.getsockname()[1]
        return self.servers[name].server_address[1]

    def close(self):
        for server in self.servers.values():
            server.shutdown()
            server.server_close()
        self.black_hole.close()
        self._closed.close()
