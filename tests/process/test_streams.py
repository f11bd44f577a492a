"""What any TCP program sees at the two ends of a stream."""
import concurrent.futures
import hashlib
import json
import os
import re
import socket
import struct
import threading

import pytest
from tests.harness.programs import SANITIZED, find_tool, run, wait_until
from tests.harness.wire import read_until_closed


def reset(client):
    """Closes with RST instead of FIN."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_curl_fetches_a_page_and_a_large_file(rig, tmp_path):
    page, large = rig.web_root / "page.txt", rig.web_root / "large.bin"
    page.write_text("a page from the device\n")
    large.write_bytes(os.urandom(8 * 1024 * 1024))
    base = f"http://127.0.0.1:{rig.forward_ports['web']}"
    assert run([find_tool("curl"), "-sSf", f"{base}/page.txt"]).stdout == "a page from the device\n"
    run([find_tool("curl"), "-sSf", "-o", tmp_path / "large.bin", f"{base}/large.bin"])
    assert (tmp_path / "large.bin").read_bytes() == large.read_bytes()


def test_curl_fetches_thirty_pages_over_parallel_streams(rig, tmp_path):
    for number in range(30):
        (rig.web_root / f"part{number}").write_text(f"part {number}")
    run(
        [
            find_tool("curl"),
            "-sSf",
            "--parallel",
            "--parallel-max",
            "10",
            "--no-keepalive",
            "-o",
            f"{tmp_path}/#1",
            f"http://127.0.0.1:{rig.forward_ports['web']}/part[0-29]",
        ]
    )
    assert [(tmp_path / str(n)).read_text() for n in range(30)] == [f"part {n}" for n in range(30)]


def test_one_direction_can_end_while_the_other_goes_on(rig):
    with rig.connect("after_end") as client:
        client.sendall(b"x" * 100_000)
        client.shutdown(socket.SHUT_WR)
        assert read_until_closed(client) == b"100000 bytes\n"


def test_bytes_sent_before_the_stream_is_up_arrive(rig):
    with rig.connect("echo") as client:
        client.sendall(b"SSH-2.0-eager\r\n")
        assert client.recv(100) == b"SSH-2.0-eager\r\n"


def test_a_reset_of_the_local_service_reaches_the_client_as_a_reset(rig):
    with rig.connect("resetter") as client:
        client.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            assert client.recv(1) != b"", "a truncated stream must not look like a clean end"


def test_a_reset_of_the_client_ends_the_stream(rig):
    client = rig.connect("echo")
    client.sendall(b"x")
    assert client.recv(1) == b"x"
    reset(client)
    wait_until(lambda: " echo." not in rig.admin("streams", "list"), "the stream to end")
    assert rig.echo()


def test_a_reset_of_the_client_ends_the_stream_while_its_pump_is_blocked(rig):
    """The client never reads, so every buffer on the way is full when it goes away."""
    client = rig.connect("echo")
    client.settimeout(3)
    with pytest.raises(TimeoutError):
        while True:
            client.sendall(b"x" * 65536)
    reset(client)
    wait_until(lambda: " echo." not in rig.admin("streams", "list"), "the stream to end")
    assert rig.echo()


def test_a_client_that_leaves_before_any_byte_does_no_harm(rig):
    mark = rig.service.mark()
    for _ in range(10):
        rig.connect("echo").close()
        reset(rig.connect("echo"))
    assert rig.echo()
    assert "DS-9" not in rig.service.output()[mark:]


def test_many_streams_carry_different_bytes_at_once(rig):
    size = 1 if SANITIZED else 4

    def carry(seed):
        payload = hashlib.sha256(str(seed).encode()).digest() * (size * 32768)
        received = bytearray()
        with rig.connect("echo") as client:

            def send():
                client.sendall(payload)
                client.shutdown(socket.SHUT_WR)

            sender = threading.Thread(target=send)
            sender.start()
            while data := client.recv(1 << 18):
                received += data
            sender.join()
        return bytes(received) == payload

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert all(pool.map(carry, range(24)))


def test_a_stream_is_logged_once_at_its_start_and_once_at_its_end_with_one_id_everywhere(rig):
    mark = rig.service.mark()
    with rig.connect("echo") as client:
        client.sendall(b"12345")
        assert client.recv(5) == b"12345"
        opened = rig.service.wait_for(rf'"stream opened"[^\n]*{client.getsockname()[1]}"[^\n]*', mark).group(0)
    identifier = re.search(r'"stream":"([0-9a-f]{8})"', opened).group(1)
    for program in (rig.service, rig.device, rig.hub):

        def lines(program=program):
            return [line for line in program.output().splitlines() if identifier in line]

        wait_until(lambda: len(lines()) >= 2, f"{program.name} to log the stream {identifier}")
        assert len(lines()) == 2, lines()
        end = json.loads(lines()[1])
        assert [value for name, value in end.items() if name.startswith(("bytes", "to_"))] == [5, 5], end
