"""Two network namespaces with a wire between them, on which nftables can lose packets as real networks do.

They belong to processes that end when their standard input does: nothing is left over, however the tests end.
"""
import contextlib
import ctypes
import os
import re
import subprocess
import threading

from .programs import find_tool, run, wait_until

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def why_not():
    """Why there can be no namespaces with lost packets here; None when there can."""
    try:
        tried = run([find_tool("unshare"), "--net", find_tool("nft"), "list", "ruleset"], check=False)
    except AssertionError as missing:
        return str(missing)
    return None if tried.returncode == 0 else tried.stderr.strip()


class Namespace:
    def __init__(self):
        own = os.readlink("/proc/self/ns/net")
        self._holder = subprocess.Popen([find_tool("unshare"), "--net", "cat"], stdin=subprocess.PIPE)
        self.pid = self._holder.pid
        self.path = f"/proc/{self.pid}/ns/net"
        wait_until(lambda: os.readlink(self.path) != own, "the namespace")
        self.run("ip", "link", "set", "lo", "up")

    def command(self, *words):
        """A command line that runs in the namespace."""
        return [find_tool("nsenter"), f"--net={self.path}", *words]

    def run(self, tool, *words):
        return run(self.command(find_tool(tool), *words)).stdout

    @contextlib.contextmanager
    def entered(self):
        """Sockets made meanwhile by this thread, and programs that it starts, are in the namespace."""
        before = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)
        inside = os.open(self.path, os.O_RDONLY)
        try:
            enter_network(inside)
            yield
        finally:
            enter_network(before)
            os.close(before)
            os.close(inside)

    def drop(self, match):
        """Packets that arrive over the wire and match the expression vanish."""
        self.run(
            "nft",
            "add table inet faults; "
            "add chain inet faults input { type filter hook input priority 0; }; "
            f"add rule inet faults input iifname wire {match} counter drop",
        )

    def dropped(self):
        """How many packets vanished so far."""
        return sum(map(int, re.findall(r"counter packets (\d+)", self.run("nft", "list", "ruleset"))))

    def heal(self):
        self.run("nft", "flush ruleset")

    def close(self):
        self._holder.stdin.close()
        self._holder.wait()


def enter_network(descriptor):
    """Sockets that this thread makes from now on are in the namespace."""
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def joined(near_address, far_address):
    """Two namespaces whose interfaces `wire` reach each other under these addresses."""
    with contextlib.ExitStack() as stack:
        near, far = (stack.enter_context(contextlib.closing(Namespace())) for _ in range(2))
        near.run("ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", str(far.pid))
        for namespace, address in ((near, near_address), (far, far_address)):
            namespace.run("ip", "address", "add", address + "/24", "dev", "wire")
            namespace.run("ip", "link", "set", "wire", "up")
        yield near, far


@contextlib.contextmanager
def joined_by_router(near_address, far_address, mtu):
    """Two namespaces in different /24 networks. The router between them passes packets up to this size only, and its
    ICMP messages about larger ones get lost."""
    with contextlib.ExitStack() as stack:
        near, router, far = (stack.enter_context(contextlib.closing(Namespace())) for _ in range(3))
        for name, end, address in (("near", near, near_address), ("far", far, far_address)):
            gateway = address.rpartition(".")[0] + ".254"
            end.run("ip", "link", "add", "wire", "type", "veth", "peer", "name", name, "netns", str(router.pid))
            end.run("ip", "address", "add", address + "/24", "dev", "wire")
            end.run("ip", "link", "set", "wire", "up")
            router.run("ip", "address", "add", gateway + "/24", "dev", name)
            router.run("ip", "link", "set", name, "up")
            network = gateway.replace(".254", ".0/24")
            router.run("ip", "route", "replace", network, "dev", name, "mtu", "lock", str(mtu))
            end.run("ip", "route", "add", "default", "via", gateway)
        router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        router.run(
            "nft",
            "add table inet faults; "
            "add chain inet faults output { type filter hook output priority 0; }; "
            "add rule inet faults output icmp type destination-unreachable counter drop",
        )
        yield near, router, far
