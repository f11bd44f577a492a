"""One execution: a mutated conversation, sent in one of many manners, on a TLS connection of its own."""
import collections
import contextlib
import random
import socket
import ssl
import struct
import threading
import time

from .conversations import MAKERS, leg_upgrade, spare_parts
from .target import Finding
from .tree import mutate

LONGEST_WAIT = 0.3  # for an answer, which often must not come

_thread = threading.local()


class Attacker:
    """Runs executions of one entry point; execution n of a seed is the same in each run, up to tokens and timing."""

    def __init__(self, target, entry_point, seed):
        self.target, self.entry_point, self.seed = target, entry_point, seed
        self.context = ssl.create_default_context(cafile=str(target.ca_file))
        self.spare = spare_parts(entry_point)
        self.outcomes = collections.Counter()
        self.recent = collections.deque(maxlen=200)  # (number, what was sent)

    def execute(self, number):
        rng = random.Random(f"{self.seed} {self.entry_point} {number}")
        conversation = mutate(MAKERS[self.entry_point](rng, self.target), rng, self.spare)
        messages = [part if isinstance(part, bytes) else part.encode() for part in conversation.parts]
        self.recent.append((number, b"".join(messages)))
        begin = self.begin_leg if self.entry_point == "leg" else self.begin_plain
        answer = b""
        with contextlib.ExitStack() as opened:
            try:
                connection = begin(rng, opened)
                answer = converse(connection, messages, rng)
            except OSError:  # also ssl.SSLError: it had heard enough, which is its right
                pass
        self.judge(answer)

    # --- the beginnings

    def connect(self, opened):
        port = self.target.mqtt_port if self.entry_point == "mqtt" else self.target.hub_port
        raw = socket.create_connection(("127.0.0.1", port), 20)
        try:
            tls = self.context.wrap_socket(raw, server_hostname="127.0.0.1", session=getattr(_thread, "session", None))
        except BaseException:
            raw.close()
            raise
        opened.callback(tls.close)
        opened.callback(self.keep_session, tls)
        return tls

    def keep_session(self, tls):
        """Most connections resume, as most of the work of a new one is TLS's."""
        if tls.session is not None and random.random() < 0.98:
            _thread.session = tls.session

    def begin_plain(self, _rng, opened):
        return self.connect(opened)

    def begin_leg(self, rng, opened):
        """A leg with a good token; the other leg comes before it, after it, or never."""
        tickets = self.target.tickets(rng.random() < 0.5)
        rng.shuffle(tickets)
        order = rng.choice(["before", "after", "never"])
        if order == "before":
            self.open_other(tickets[1], opened)
        connection = self.connect(opened)
        connection.sendall(leg_upgrade(tickets[0]).encode())
        if order == "after":
            self.open_other(tickets[1], opened)
        return connection

    def open_other(self, ticket, opened):
        other = self.connect(opened)
        other.sendall(leg_upgrade(ticket).encode() + b"\x82\x80\0\0\0\0\x82\x85\0\0\0\0hello")

    # --- the verdict

    def judge(self, answer):
        if leaks := [key for key in self.target.secrets if key.encode() in answer]:
            raise Finding(f"{len(leaks)} keys are in an answer: {answer!r}")
        if b"HTTP/1.1 500" in answer:
            raise Finding(f"the hub failed: {answer!r}")
        kind = "silence"
        if answer.startswith(b"HTTP/1.1 "):
            kind = answer[9:12].decode(errors="replace")
        elif answer:
            kind = f"byte {answer[0]:02x}"
        self.outcomes[kind] += 1


def converse(connection, messages, rng):
    """Sends at once, in step with the answers, or in pieces that end anywhere; then leaves in one of four ways."""
    manner = rng.choice(["at once", "at once", "in step", "in pieces"])
    answer = b""
    if manner == "at once":
        connection.sendall(b"".join(messages))
    elif manner == "in step":
        for message in messages[:20]:
            connection.sendall(message)
            answer += hear(connection, 0.01)
    else:
        whole = b"".join(messages)
        cuts = sorted(rng.randrange(len(whole) + 1) for _ in range(rng.choice([1, 3, 12])))
        for begin, end in zip([0, *cuts], [*cuts, len(whole)]):
            connection.sendall(whole[begin:end])
            time.sleep(rng.choice([0, 0, 0.002]))
    if rng.random() < 0.02:  # beneath TLS
        socket.socket.send(connection, rng.choice([rng.randbytes(40), b"\x17\x03\x03\0\x30" + rng.randbytes(48)]))
    leaving = rng.choice(["now", "now", "heard", "half", "reset"])
    if leaving in ("heard", "reset"):
        answer += hear(connection, 0.02)
    if leaving == "half":
        socket.socket.shutdown(connection, socket.SHUT_WR)  # SSLSocket's own would leave TLS
        answer += hear(connection, LONGEST_WAIT)
    if leaving == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return answer


def hear(connection, seconds):
    """What comes until the peer is silent for so long, or ends the connection."""
    heard = b""
    connection.settimeout(seconds)
    with contextlib.suppress(TimeoutError, OSError):
        while len(heard) < 1 << 16 and (data := connection.recv(1 << 16)):
            heard += data
    connection.settimeout(20)
    return heard
