"""A remote desktop through the tunnel: xrdp on the device's side, FreeRDP on ours."""
import contextlib
import socket

import pytest
from tests.harness.programs import wait_until
from tests.harness.remote_desktop import Screen, XrdpServer, colours, differing_pixels
from tests.harness.rig import Rig

# Of 480,000: a blinking cursor may differ.
FEW_PIXELS = 500
# The dialog with its logo; a screen without a picture has one or two.
MANY_COLOURS = 1000


class DesktopRig(Rig):
    services = (*Rig.services, "rdp")

    def __init__(self, directory):
        super().__init__(directory)
        self.desktop = XrdpServer(self.directory)

    def local_port(self, service):
        return self.desktop.port if service == "rdp" else super().local_port(service)

    def start(self):
        self.desktop.start()
        return super().start()

    def finish(self):
        try:
            super().finish()
        finally:
            self.desktop.stop()


@pytest.fixture(scope="module")
def desktop_rig(tmp_path_factory):
    rig = DesktopRig(tmp_path_factory.mktemp("desktop"))
    try:
        yield rig.start()
    finally:
        rig.finish()


@pytest.fixture
def screen(tmp_path):
    with contextlib.closing(Screen(tmp_path)) as screen:
        yield screen


def login_screen(screen, port, path, expected=None):
    """The picture once it is complete: drawn, no longer changing, and like the one that is expected."""
    with screen.desktop(port) as client:
        shots = []

        def is_complete():
            assert client.is_alive(), client.output()[-3000:]
            shots.append(screen.shot(path.with_name(f"{path.stem}-{len(shots)}.png")))
            alike = [*shots[-4:-1], expected] if expected else shots[-4:-1]
            return (
                len(shots) > 3
                and colours(shots[-1]) >= MANY_COLOURS
                and all(differing_pixels(other, shots[-1]) <= FEW_PIXELS for other in alike)
            )

        wait_until(is_complete, lambda: f"a login screen; xfreerdp printed:\n{client.output()[-3000:]}", 120)
    return shots[-1].rename(path)


@pytest.mark.release_only
def test_the_login_screen_looks_as_it_does_without_the_tunnel(desktop_rig, screen, tmp_path):
    directly = login_screen(screen, desktop_rig.desktop.port, tmp_path / "directly.png")
    login_screen(screen, desktop_rig.forward_ports["rdp"], tmp_path / "through.png", expected=directly)
    desktop_rig.service.wait_for('"stream ended".*"service":"rdp"')


@pytest.mark.release_only
def test_a_client_that_tries_the_port_first_and_leaves_does_no_harm(desktop_rig, screen, tmp_path):
    """As mstsc does: its first connection may end at once."""
    socket.create_connection(("127.0.0.1", desktop_rig.forward_ports["rdp"])).close()
    login_screen(screen, desktop_rig.forward_ports["rdp"], tmp_path / "through.png")
