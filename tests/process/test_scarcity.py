"""Where the disk is full or descriptors have run out, an administrator can still take access away."""
import contextlib
import os

import pytest
from tests.harness.programs import descriptor_count, find_tool, run, status_bytes, wait_until
from tests.harness.rig import DEVICE, Rig
from tests.harness.wire import tls_connect

DISK = 24 << 20


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MiB."""
    folder = tmp_path / "rig" / "hub"
    folder.mkdir(parents=True)
    mounted = run([find_tool("mount"), "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    run([find_tool("umount"), "--lazy", folder])


def fill(folder):
    """Until nothing more fits."""
    with open(folder / "ballast", "ab", buffering=0) as ballast:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while ballast.write(b"x" * size):
                    pass
    assert os.statvfs(folder).f_bavail == 0


def test_a_full_disk_forbids_no_revocation(small_disk):
    rig = Rig(small_disk.parent)
    try:
        rig.start()
        others = [f"other-{number}" for number in range(30)]
        for name in others:
            rig.add_device(name)
        fill(small_disk)
        refused = rig.admin("device", "add", "one-more", check=False)
        assert refused.returncode == 74 and "DS-108" in refused.stderr and "init" not in refused.stderr
        for name in others[:20]:
            rig.admin("device", "disable", name)
            fill(small_disk)
        rig.admin("device", "remove", others[20])
        rig.admin("device", "renew-key", others[21], "--key", "primary")
        rig.admin("device", "disable", DEVICE)
        wait_until(lambda: not rig.is_online(), "the link to be dropped")
        rig.hub.stop()
        fill(small_disk)
        rig.admin("device", "disable", others[22])  # without a running hub
        assert '"enabled": false' in rig.admin("device", "show", others[22], check=False).stdout
    finally:
        rig.hub.stop()
        rig.finish()


class WithFewDescriptors(Rig):
    def __init__(self, directory):
        super().__init__(directory)
        self.hub.argv = [find_tool("prlimit"), "--nofile=100:100", *map(str, self.hub.argv)]

    def init(self):
        super().init()
        with open(self.hub_directory / "stream-hub.yaml", "a") as config:
            config.write("limits:\n  tls_timeout: 5m\n  idle_timeout: 1h\n")
        return self


def test_without_descriptors_a_device_is_disabled_all_the_same(tmp_path):
    rig = WithFewDescriptors(tmp_path / "rig")
    try:
        rig.start()
        with contextlib.ExitStack() as stack:
            # With TLS up, so that no newcomer takes their place before they have cost a descriptor each.
            for _ in range(120):
                with contextlib.suppress(OSError):
                    stack.enter_context(tls_connect(rig.hub_port, rig.ca_file, timeout=1))
            rig.hub.wait_for("DS-902")
            assert descriptor_count(rig.hub.pid) <= 80, "some are kept for the administrator"
            rig.admin("device", "disable", DEVICE)
            assert '"enabled": false' in rig.admin("device", "show", DEVICE)
        rig.hub.stop()
    finally:
        rig.finish()


@pytest.mark.no_sanitizer  # sanitizers map terabytes
def test_where_memory_is_short_connections_are_refused_and_the_hub_goes_on(tmp_path):
    rig = Rig(tmp_path / "rig")
    try:
        rig.start()
        room = status_bytes(rig.hub.pid, "VmSize") + (8 << 20)
        run([find_tool("prlimit"), f"--pid={rig.hub.pid}", f"--as={room}:"])
        with contextlib.ExitStack() as stack:
            refused = 0
            while refused < 10 and rig.hub.is_alive():
                try:
                    stack.enter_context(tls_connect(rig.hub_port, rig.ca_file, timeout=2))
                except OSError:
                    refused += 1
            assert rig.hub.is_alive(), rig.hub.output()[-2000:]
        wait_until(rig.works, "streams to be opened again")
        run([find_tool("prlimit"), f"--pid={rig.hub.pid}", "--as=unlimited:"])
    finally:
        rig.finish()
