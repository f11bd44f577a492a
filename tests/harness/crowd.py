"""Strangers that connect and never log in: as a program, so that they do not slow those who test.

python -m tests.harness.crowd HOST PORT COUNT FIRST NETWORK: keeps COUNT connections to HOST:PORT, from the next
addresses of NETWORK in turn, FIRST of them different, and opens one anew whenever it is let go. A third says nothing, a
third begins with TLS, and a third ends TLS and says no more. Prints a line for each thousand that it has opened.
"""
import collections
import contextlib
import ipaddress
import itertools
import pathlib
import select
import socket
import ssl
import subprocess
import sys
import time

EACH_TURN, PAUSE = 20, 0.02  # at most a thousand connections a second


class Crowd:
    def __init__(self, host, port, count, addresses):
        self.where, self.count = (host, port), count
        self.addresses = itertools.cycle(addresses)
        self.poll = select.epoll()
        self.opened = 0
        self.present = {}
        self.kinds = itertools.cycle(("silent", "talking", "secured"))
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE

    def open(self):
        family = socket.AF_INET6 if ":" in self.where[0] else socket.AF_INET
        stranger = socket.socket(family)
        stranger.settimeout(5)
        stranger.bind((str(next(self.addresses)), 0))
        self.greet(stranger, next(self.kinds))
        self.opened += 1
        if self.opened % 1000 == 0:
            print(self.opened, flush=True)

    def greet(self, stranger, kind):
        """The hub may let it go at any time."""
        with contextlib.suppress(OSError):
            stranger.connect(self.where)
            if kind == "talking":
                stranger.sendall(b"\x16\x03\x01")
            if kind == "secured":
                stranger = self.context.wrap_socket(stranger)
            self.present[stranger.fileno()] = stranger
            self.poll.register(stranger.fileno(), select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR)

    def turn(self):
        for _ in range(min(EACH_TURN, self.count - len(self.present))):
            self.open()
        for descriptor, _ in self.poll.poll(PAUSE, 1000):
            self.poll.unregister(descriptor)
            self.present.pop(descriptor).close()


@contextlib.contextmanager
def crowd(host, port, count, addresses, network):
    """Runs it as long as the block does; yields a list that has its lines."""
    root = pathlib.Path(__file__).resolve().parents[2]
    words = [host, str(port), str(count), str(addresses), network]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.harness.crowd", *words], stdout=subprocess.PIPE, cwd=root, text=True
    ) as program:
        try:
            yield program.stdout
        finally:
            program.kill()


def main(host, port, count, addresses, network):
    network = ipaddress.ip_network(network)
    step = max(network.num_addresses // int(addresses), 1)
    chosen = collections.deque(network[(number * step + 1) % network.num_addresses] for number in range(int(addresses)))
    strangers = Crowd(host, int(port), int(count), chosen)
    while True:
        strangers.turn()
        time.sleep(PAUSE)


if __name__ == "__main__":
    main(*sys.argv[1:])
