"""A name server on [::1]:53 of a network namespace, and command lines that ask it and nobody else."""
import contextlib
import ipaddress
import socket
import struct
import threading

from .programs import find_tool

ADDRESS = "::1"
A, AAAA = 1, 28


def _question(packet):
    """Name, type, and where the question ends."""
    labels, place = [], 12
    while size := packet[place]:
        labels.append(packet[place + 1 : place + 1 + size].decode())
        place += 1 + size
    return ".".join(labels).lower(), struct.unpack_from("!H", packet, place + 1)[0], place + 5


class NameServer:
    """Knows `names`: their addresses of both families. Whatever else it is asked for does not exist."""

    def __init__(self, names):
        self.names = {name: [ipaddress.ip_address(text) for text in texts] for name, texts in names.items()}
        self.asked = set()
        self._socket = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self._socket.bind((ADDRESS, 53))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while True:
            packet, peer = self._socket.recvfrom(4096)
            if not packet:
                return
            with contextlib.suppress(IndexError, struct.error):
                self._socket.sendto(self._answer(packet), peer)

    def _answer(self, packet):
        name, kind, end = _question(packet)
        self.asked.add(name)
        length = {A: 4, AAAA: 16}.get(kind)
        found = [address.packed for address in self.names.get(name, []) if len(address.packed) == length]
        records = b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(data)) + data for data in found)
        no_such_name = 3
        flags = 0x8180 | (0 if name in self.names else no_such_name)
        return packet[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0) + packet[12:end] + records

    def close(self):
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as last:
            last.sendto(b"", (ADDRESS, 53))
        self._thread.join()
        self._socket.close()


def asking_it(directory, argv):
    """A command line that runs with /etc/resolv.conf and /etc/hosts of the test's."""
    (directory / "resolv.conf").write_text(f"nameserver {ADDRESS}\n")
    (directory / "hosts").write_text("127.0.0.1 localhost\n")
    script = 'mount --bind "$0/resolv.conf" /etc/resolv.conf && mount --bind "$0/hosts" /etc/hosts && exec "$@"'
    return [find_tool("unshare"), "--mount", "sh", "-c", script, str(directory), *map(str, argv)]
