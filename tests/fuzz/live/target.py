"""The hub under attack, and the honest device and service that must not notice."""
import collections
import contextlib
import os
import re
import select
import threading
import time
import urllib.parse

from tests.harness.programs import SANITIZER_REPORT, descriptor_count, status_bytes, wait_until
from tests.harness.rig import Rig
from tests.harness.secrets import find_leaks
from tests.harness.wire import (
    device_token,
    http_request,
    mqtt_login,
    mqtt_packet,
    mqtt_string,
    mqtt_subscribe,
    read_mqtt,
    read_websocket,
    service_token,
    tls_connect,
    websocket_frame,
    websocket_upgrade,
)

PATIENCE = 30  # seconds that an honest client waits for anything
INTERNAL_FAULT = re.compile(r"DS-901|\bcould not be checked\b")
CLIENT_TYPE = "honest/1 (features=half-close,big-frames,pings)"


class Finding(Exception):
    """The hub did what it must never do."""


class HonestDevice:
    """A raw MQTT link that accepts every request, and keeps what it was told by the stream's name. One thread has the
    link, as a TLS connection must not be read and written at the same time."""

    def __init__(self, rig, connection_string):
        self.link = tls_connect(rig.mqtt_port, rig.ca_file, timeout=None)
        self.link.sendall(mqtt_login(connection_string, CLIENT_TYPE))
        assert read_mqtt(self.link) == (0x20, b"\0\0")
        self.link.sendall(mqtt_subscribe("$iothub/streams/POST/#"))
        assert read_mqtt(self.link)[0] == 0x90
        self.told = collections.OrderedDict()
        self.news = threading.Condition()
        self.ended = None
        self.ping_due = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                if self.ping_due.is_set():
                    self.ping_due.clear()
                    self.link.sendall(mqtt_packet(0xC0, b""))
                if not self.link.pending() and not select.select([self.link], [], [], 0.1)[0]:
                    continue
                first, body = read_mqtt(self.link)
                if first == 0x30:
                    self.take(body[2:].decode())
        except Exception as failure:  # whatever it is, the checks tell it
            with self.news:
                self.ended = failure
                self.news.notify_all()

    def take(self, topic):
        fields = dict(pair.split("=", 1) for pair in topic.split("?", 1)[1].replace("$", "").split("&"))
        with self.news:
            self.told[topic.split("/")[3]] = (path_of(urllib.parse.unquote(fields["url"])), fields["auth"])
            while len(self.told) > 1000:  # requests whose sender did not want to know
                self.told.popitem(last=False)
            self.news.notify_all()
        self.link.sendall(mqtt_packet(0x30, mqtt_string(f"$iothub/streams/res/200/?$rid={fields['rid']}")))

    def ticket(self, name):
        with self.news:
            if not self.news.wait_for(lambda: name in self.told or self.ended, PATIENCE) or self.ended:
                raise Finding(f"the honest device's link: {self.ended or 'no request came'}")
            return self.told.pop(name)

    def ping(self):
        if self.ended:
            raise Finding(f"the honest device lost its link: {self.ended}")
        self.ping_due.set()


def path_of(url):
    return "/" + url.split("/", 3)[3]


class Target(Rig):
    """The hub alone, with devices to attack as; also what conversations have to know."""

    online, offline, devices = "honest", "offline", ("dev-1", "dev-2", "dev-3", "dev-4")

    def __init__(self, directory):
        super().__init__(directory)
        self.local_thread = threading.local()
        self.read_up_to = 0

    def start(self):
        self.init()
        # Streams that an attacker opens and never joins must not crowd out the honest ones.
        self.set_hub_yaml(limits="{pending_per_device: 20000, pending_per_policy: 20000}")
        self.start_hub()
        names = (self.online, self.offline, *self.devices)
        self.connection_strings = {name: self.add_device(name) for name in names}
        self.honest = HonestDevice(self, self.connection_strings[self.online])
        self.bystander = self.open_legs()
        return self

    def service_token(self):
        return service_token(self.service_cs)

    def device_token(self, device):
        return device_token(self.connection_strings[device])

    # --- streams

    def tickets(self, extended=False):
        """(path, token) of the device's leg and of the service's."""
        name = f"echo.{os.urandom(4).hex()}"
        headers = {"Authorization": self.service_token(), "iothub-streaming-response-timeout-in-seconds": PATIENCE}
        if extended:
            headers["iothub-streaming-features"] = "half-close,big-frames"
        status, told, body = self.ask("POST", f"/twins/{self.online}/streams/{name}?api-version=2020-09-30", headers)
        if status != 200 or told.get("iothub-streaming-is-accepted") != "True":
            raise Finding(f"an honest service got {status}, {body!r}")
        return [self.honest.ticket(name), (path_of(told["iothub-streaming-url"]), told["iothub-streaming-auth-token"])]

    def ask(self, *request):
        """On this thread's warm connection, or a new one when the hub has ended that, as it may while it is idle."""
        kept = getattr(self.local_thread, "rest", None)
        with contextlib.suppress(AssertionError, OSError):
            if kept:
                return http_request(kept, *request)
        self.local_thread.rest = tls_connect(self.hub_port, self.ca_file, timeout=PATIENCE)
        return http_request(self.local_thread.rest, *request)

    def open_leg(self, path, token):
        leg = tls_connect(self.hub_port, self.ca_file, timeout=PATIENCE)
        status, _, _ = websocket_upgrade(leg, path, {"Authorization": f"Bearer {token}"})
        if status != 101:
            raise Finding(f"an honest leg got {status}")
        return leg

    def open_legs(self):
        return [self.open_leg(*ticket) for ticket in self.tickets()]

    # --- what must hold at any time

    def check(self):
        """The honest stream and link live on, a new stream works, and nothing bad was printed; returns seconds."""
        begin = time.monotonic()
        try:
            self.honest.ping()
            fresh = self.open_legs()
            for device, service in (self.bystander, fresh):
                exchange(device, service)
                exchange(service, device)
            for one in fresh:
                one.sendall(websocket_frame(b"\x03\xe8", opcode=8))
            for one in fresh:
                one.close()
        except (AssertionError, OSError) as failure:
            self.check_printed()
            raise Finding(
                f"an honest client failed: {failure!r}; the hub " + ("lives" if self.hub.is_alive() else "is dead")
            ) from failure
        self.check_printed()
        return time.monotonic() - begin

    def check_printed(self):
        with open(self.hub.output_file, errors="replace") as output:
            output.seek(self.read_up_to)
            text = output.read()
            self.read_up_to = output.tell()
        report = SANITIZER_REPORT.search(text) or INTERNAL_FAULT.search(text)
        if report:
            raise Finding(text[max(0, report.start() - 500) : report.start() + 6000])
        if leaks := find_leaks(text, self.secrets):
            raise Finding(f"the hub printed {leaks}")

    def usage(self):
        """(descriptors, resident MiB)"""
        return descriptor_count(self.hub.pid), status_bytes(self.hub.pid, "VmRSS") >> 20

    def check_given_back(self, descriptors):
        """What was left behind is gone once the time limits of the hub have passed."""
        wait_until(
            lambda: self.usage()[0] <= descriptors, lambda: f"{self.usage()[0]} descriptors, {descriptors} before", 150
        )

    def stop(self):
        """Exit code 0 says that LeakSanitizer found nothing either."""
        code = self.hub.stop(120)  # to look for leaks takes long on a busy machine
        self.check_printed()
        if code != 0:
            raise Finding(f"the hub ended with {code}:\n{self.hub.output()[-6000:]}")


def exchange(sender, receiver):
    text = os.urandom(8)
    sender.sendall(websocket_frame(text))
    received = b""
    while len(received) < len(text):
        opcode, data = read_websocket(receiver)
        assert opcode in (2, 9), f"an honest stream got opcode {opcode}: {data!r}"
        received += data if opcode == 2 else b""
    assert received == text, "an honest stream carries other bytes"
