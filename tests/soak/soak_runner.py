"""Opens streams at random for as long as the run lasts, and connects what arrives with what was sent."""
import multiprocessing
import random
import socket
import sys
import time

from . import network
from .fault_injector import FaultInjector
from .loop import READ, Loop
from .pattern import UP, WORD, read_word
from .plan import EndPlan, Plan, make_plan
from .report import Samples, Tally, amount, summary
from .stream import HANGS, Stream
from .tunnel import BIN, PROGRAMS, Route, Tunnel, is_sanitized, wait_until

STREAMS = 60  # streams at once, unless told
WARM_UP_LIMIT = 256 << 10
MEASURED = 64 << 20
SETTLE = 30
LINK_FAULTS = {"reset": 3, "cut": 2, "stall": 1, "delay": 1}


class Slot:
    """A way of its own for one stream at a time; one in three has the faulty network before its server as well."""

    def __init__(self, number):
        self.listener = listen()
        self.route = Route(f"slot{number:02}", self.listener.getsockname()[1])
        self.relayed_server = number % 3 == 0
        self.stream = None


def listen():
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    listener.setblocking(False)
    return listener


class UnidentifiedConnection:
    """A connection that has to say by its first word which stream it is."""

    def __init__(self, runner, sock):
        self.runner, self.sock = runner, sock
        self.first = b""
        self.since = time.monotonic()
        runner.unidentified.add(self)
        runner.loop.watch(sock.fileno(), READ, self._serve)

    def _serve(self):
        try:
            data = self.sock.recv(WORD - len(self.first))
        except BlockingIOError:
            return
        except OSError:
            return self._leave()
        self.first += data
        if not data:
            self.runner.tally.fail("truncated", f"a connection ended cleanly after {len(self.first)} bytes")
            self._leave()
        elif len(self.first) == WORD:
            self.runner.loop.forget(self.sock.fileno())
            self.runner.unidentified.discard(self)
            self.runner.identify(self.sock, self.first)

    def _leave(self):
        self.runner.loop.forget(self.sock.fileno())
        self.runner.unidentified.discard(self)
        self.sock.close()

    def look(self, now):
        if now > self.since + HANGS:
            self.runner.tally.fail("hung", "a connection without a word")
            self._leave()


class SoakRunner:
    def __init__(self, directory, seed, seconds, slots, injected):
        self.seed, self.seconds = seed, seconds
        self.dice = random.Random(seed)
        self.loop, self.tally, self.samples = Loop(), Tally(), Samples()
        self.slots = [Slot(number) for number in range(slots)]
        shared = listen()
        self.shared_route = Route("shared", shared.getsockname()[1])
        self.streams, self.unidentified = {}, set()
        self.late = set()  # broken streams without a connection to the server: one may still come
        self.next_stream = 1
        self.target, self.finished_bytes = 0, 0
        self.begin = self.end = None  # of the run, behind the warm-up
        self.threads = self.dice.choice([1, 2])
        self.tunnel = Tunnel(directory, [*(slot.route for slot in self.slots), self.shared_route], self.threads)
        self.pipe, self.network = self._start_network(FaultInjector(injected) if injected else None)
        for slot in self.slots:
            self._watch_listener(slot.listener, lambda sock, slot=slot: self._accept(slot, sock))
        self._watch_listener(shared, lambda sock: UnidentifiedConnection(self, sock))

    def _start_network(self, injector):
        context = multiprocessing.get_context("spawn")
        pipe, far_end = context.Pipe()
        legs = self.tunnel.legs([slot.route for slot in self.slots if slot.relayed_server])
        process = context.Process(target=network.run, args=(legs, far_end, injector), daemon=True)
        process.start()
        far_end.close()
        wait_until(lambda: pipe.poll(0.1) or not process.is_alive(), "the network to listen")
        self.tunnel.use_ports(pipe.recv()[1])
        self.loop.watch(pipe.fileno(), READ, self.hear)
        return pipe, process

    def _watch_listener(self, listener, take):
        def serve():
            try:
                sock = listener.accept()[0]
            except OSError:
                return
            sock.setblocking(False)
            take(sock)

        self.loop.watch(listener.fileno(), READ, serve)

    def close(self):
        self.network.terminate()
        for program in reversed(self.tunnel.programs):
            program.stop()

    # --- connecting

    def _open(self, limit):
        slot = self.dice.choice([slot for slot in self.slots if slot.stream is None])
        self._start(slot, make_plan(self.seed, self.next_stream, limit, slot.relayed_server))

    def _start(self, slot, plan):
        route = self.shared_route if plan.shared else slot.route
        self.next_stream += 1
        slot.stream = Stream(self.loop, plan, route, self._arm, lambda stream: self._finish(stream, slot))
        self.streams[plan.stream] = slot.stream

    def _accept(self, slot, sock):
        if slot.stream and not slot.stream.plan.shared:
            slot.stream.accept(sock)
        else:
            UnidentifiedConnection(self, sock)

    def identify(self, sock, first):
        number, direction, index = read_word(first)
        stream = self.streams.get(number)
        if stream and stream.plan.shared and (direction, index) == (UP, 0):
            return stream.accept(sock, first)
        if number not in self.late:
            self.tally.fail_stranger(first)
        sock.close()

    def _finish(self, stream, slot):
        self.hear()  # a fault that broke it was told before it struck
        self.tally.count(stream)
        if not stream.servers:
            self.late.add(stream.number)
        if stream.plan.fault:
            self.pipe.send(("forget", stream.number))
        self.finished_bytes += stream.received()
        slot.stream = None
        del self.streams[stream.number]

    # --- the network

    def _arm(self, stream, key):
        self.pipe.send(("arm", stream.number, stream.plan.fault.leg, key, stream.plan.fault))

    def hear(self):
        while self.pipe.poll():
            what, number, *rest = self.pipe.recv()
            stream = self.streams.get(number)
            if what == "fired" and number == network.LINK:
                self.tally.faults["link", rest[0]] += 1
            elif what == "fired" and stream:
                stream.strike()
                self.tally.faults[stream.plan.fault.leg, stream.plan.fault.kind] += 1
            elif what == "armed" and stream:
                stream.armed(*rest)

    def _strike_link(self):
        kind = self.dice.choices(list(LINK_FAULTS), list(LINK_FAULTS.values()))[0]
        self.pipe.send(("link", kind, round(self.dice.uniform(0.2, 3), 3)))
        self.loop.after(self.dice.uniform(8, 40), self._strike_link)

    # --- the run

    def run(self, with_memory):
        self.tunnel.start()
        self._warm_up()
        self._measure()
        self._start_clock()
        self._turn_while(lambda: time.monotonic() < self.end)
        self.target = 0
        self._turn_while(lambda: self.streams)
        self._settle()
        return self._judge(with_memory and not is_sanitized())

    def _warm_up(self):
        self.target = len(self.slots)
        self._look()
        self._open_streams()
        self._turn_while(lambda: self.next_stream <= 2 * len(self.slots))
        self.target = 0
        self._turn_while(lambda: self.streams)
        self._until(lambda: False, 2)
        self.samples.baseline = self.tunnel.usage()

    def _measure(self):
        """How fast a few plain streams are together: sizes depend on it."""
        begin, before = time.monotonic(), self._received()
        for slot in self.slots[:4]:
            both = EndPlan(MEASURED), EndPlan(MEASURED)
            self._start(slot, Plan(self.next_stream, "crossing", *both, shared=False, through_relay=False))
        self._turn_while(lambda: self.streams and time.monotonic() < begin + 3)
        self.rate = (self._received() - before) / (time.monotonic() - begin)
        self._turn_while(lambda: self.streams)

    def _start_clock(self):
        self.begin = time.monotonic()
        self.end = self.begin + self.seconds
        self.rates = [(self.begin, self._received())]
        self.target = len(self.slots)
        self.loop.after(self.seconds / 10, self._change_target)
        self.loop.after(5, self._strike_link)
        self._tell()

    def _change_target(self):
        """Not before the tunnel has known the largest number: its memory is compared with what that took."""
        if time.monotonic() < self.end:
            self.target = self.dice.randint(1, len(self.slots))
        self.loop.after(self.dice.uniform(3, 15), self._change_target)

    def _open_streams(self):
        active = sum(stream.active for stream in self.streams.values())
        free = sum(slot.stream is None for slot in self.slots)
        for _ in range(min(self.target - active, free)):
            self._open(self._limit())
        self.loop.after(0.02, self._open_streams)

    def _limit(self):
        """So many bytes that a stream is over before the run is, with some time to spare."""
        if self.end is None:
            return WARM_UP_LIMIT
        return max(self.rate * (self.end - time.monotonic()) / max(self.target, 4) / 2, 10_000)

    def _received(self):
        return self.finished_bytes + sum(stream.received() for stream in self.streams.values())

    def _look(self):
        """Once a second, from the first stream on."""
        now, usage = time.monotonic(), self.tunnel.usage()
        for watched in [*self.streams.values(), *self.unidentified]:
            watched.look(now)
        if self.end and now < self.end:
            self.samples.add((now - self.begin) / self.seconds, usage)
            self.rates = [*self.rates[-20:], (now, self._received())]
            self.rate = max(self.rate, self._recent_rate())
        self.loop.after(1, self._look)

    def _recent_rate(self):
        (first, before), (last, now) = self.rates[0], self.rates[-1]
        return (now - before) / max(last - first, 1)

    def _tell(self):
        tally = self.tally
        print(
            f"{time.monotonic() - self.begin:6.0f} s  {tally.streams} streams, {len(self.streams)} open; "
            f"{amount(self._recent_rate())}/s; {sum(tally.faults.values())} faults; {len(tally.failures)} "
            "failures",
            file=sys.stderr,
        )
        self.loop.after(10 if self.seconds < 600 else 60, self._tell)

    def _turn_while(self, condition):
        while condition() and not self.tunnel.died:
            self.loop.turn()

    def _until(self, condition, seconds):
        deadline = time.monotonic() + seconds
        self._turn_while(lambda: not condition() and time.monotonic() < deadline)

    def _settle(self):
        """Goodbyes take a few seconds when the other end is gone."""
        self._until(lambda: not self.unidentified, HANGS + SETTLE)
        self._until(lambda: not self._failures(False), SETTLE)

    def _failures(self, with_memory):
        self.samples.end = self.tunnel.usage()
        return self.samples.judge(PROGRAMS, with_memory)

    def _judge(self, with_memory):
        found = self._failures(with_memory)
        found += self.tunnel.stop()
        run = [
            ("seed", self.seed),
            ("minutes", f"{self.seconds / 60:g}"),
            ("binaries", BIN),
            ("threads of the proxies", self.threads),
            ("fastest", f"{amount(self.rate)}/s"),
            ("memory", "judged" if with_memory else "not judged"),
        ]
        for line in summary(self.tally, self.samples, PROGRAMS, run):
            print(line)
        for name, codes in self.tunnel.codes().items():
            print(f"  {name:14} logged {', '.join(f'{count} {code}' for code, count in codes.items()) or 'no errors'}")
        for failure in [*self.tally.failures[:50], *found]:
            print(f"  WRONG {failure}")
        return not self.tally.failures and not found
