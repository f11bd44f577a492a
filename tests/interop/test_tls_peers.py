"""Who speaks TLS to us: other implementations as clients of the hub and as servers of the proxies, with records of our
own, of our own without the accelerated cipher, and of OpenSSL. docs/tls-peers.md has it as a table."""
import json
import os
import ssl
import subprocess
import threading

import pytest
from tests.harness.programs import find_tool, run, wait_until
from tests.harness.rig import DEVICE, Rig
from tests.harness.wire import device_token, http_request, parse_connection_string, service_token

REQUEST = "GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n"
ANSWER = "HTTP/1.1 200 OK"
MODES = {"plane": "auto", "plane by EVP": "auto", "OpenSSL": "off"}


class SmallRig(Rig):
    services = ("echo",)


@pytest.fixture(scope="module", params=MODES)
def tls_rig(request, tmp_path_factory):
    rig = SmallRig(tmp_path_factory.mktemp("tls"))
    settings = f"{{record_plane: {MODES[request.param]}}}"
    if "EVP" in request.param:
        for program in rig.programs():
            program.environment["DEVICE_STREAMS_RECORD_PLANE_BACKEND"] = "evp"
    rig.init()
    rig.set_hub_yaml(tls=settings)
    rig.start_hub()
    rig.device_cs = rig.add_device(DEVICE)
    rig.write_proxy_configs()
    for name in ("device-proxy.yaml", "service-proxy.yaml"):
        with open(rig.directory / name, "a") as config:
            config.write(f"tls: {settings}\n")
    rig.device.start()
    rig.service.start()
    wait_until(lambda: "ready" in rig.service.output() and rig.is_online(), "the proxies")
    for program in rig.programs():
        used = json.loads(next(line for line in program.output().splitlines() if '"record_plane"' in line))
        assert {"plane by EVP": "evp", "OpenSSL": "off"}.get(request.param, used["record_plane"]) == used[
            "record_plane"
        ]
        assert request.param != "plane" or not used["record_plane"].startswith("off")
    yield rig
    rig.finish()


@pytest.fixture(scope="module")
def strange_server(tmp_path_factory):
    """A device-proxy whose hub is gone, so that another server may take its place."""
    rig = SmallRig(tmp_path_factory.mktemp("strange"))
    rig.init()
    rig.start_hub()
    rig.device_cs = rig.add_device(DEVICE)
    rig.write_proxy_configs()
    rig.hub.stop()
    yield rig
    rig.finish()


class Talk:
    """A program that one speaks with. What it says is kept; `Talk.say` waits until it has said something again."""

    def __init__(self, *argv):
        self.process = subprocess.Popen(
            [str(part) for part in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.said = ""
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()

    def _listen(self):
        while data := os.read(self.process.stdout.fileno(), 65536):
            self.said += data.decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        self.thread.join()
        self.process.stdout.close()

    def say(self, text, until):
        before = self.said.count(until)
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()
        self.wait_for(until, before + 1)

    def wait_for(self, text, times=1):
        wait_until(lambda: self.said.count(text) >= times, lambda: f"{text!r} in:\n{self.said[-3000:]}")


# --- clients of the hub


def s_client(rig, *options):
    return Talk(
        find_tool("openssl"), "s_client", "-connect", f"{rig.host}:{rig.hub_port}", "-CAfile", rig.ca_file, *options
    )


@pytest.mark.parametrize(
    "options",
    [
        ["-tls1_3"],
        ["-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"],
        ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
        ["-tls1_3", "-groups", "P-521:P-256"],
        ["-tls1_3", "-maxfraglen", "512"],
        ["-tls1_3", "-record_padding", "1000"],
    ],
    ids=["AES-128", "AES-256", "ChaCha20", "HelloRetryRequest", "max_fragment_length", "padding"],
)
def test_openssl_as_client_renews_keys(tls_rig, options):
    with s_client(tls_rig, *options) as client:
        client.wait_for("Verify return code: 0")
        client.say(REQUEST, until=ANSWER)
        client.say("K\n", until="KEYUPDATE")  # ours too are asked for
        client.say(REQUEST, until=ANSWER)
        client.say("k\n", until="KEYUPDATE")
        client.say("K\n", until="KEYUPDATE")
        client.say(REQUEST, until=ANSWER)


def test_openssl_as_client_of_1_2(tls_rig):
    with s_client(tls_rig, "-tls1_2") as client:
        client.wait_for("Verify return code: 0")
        client.say(REQUEST, until=ANSWER)
        client.say(REQUEST, until=ANSWER)


@pytest.mark.parametrize(
    "options",
    ["-VERS-ALL:+VERS-TLS1.3", "-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305", "-VERS-ALL:+VERS-TLS1.2"],
    ids=["1.3", "ChaCha20", "1.2"],
)
def test_gnutls_as_client(tls_rig, options):
    command = ["gnutls-cli", "--inline-commands", "--x509cafile", tls_rig.ca_file, "--priority", f"NORMAL:{options}"]
    with Talk(*command, "-p", tls_rig.hub_port, tls_rig.host) as client:
        client.wait_for("Simple Client Mode")
        client.say(REQUEST, until=ANSWER)
        if "TLS1.3" in options:
            client.say("^rekey^\n", until="Rekey was completed")
            client.say(REQUEST, until=ANSWER)
            client.say("^rekey^\n", until="Rekey was completed")
        client.say(REQUEST, until=ANSWER)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_asks_often_on_one_connection(tls_rig, version):
    url = f"https://{tls_rig.host}:{tls_rig.hub_port}/healthz"
    done = run(
        [find_tool("curl"), "-sSv", "--cacert", tls_rig.ca_file, f"--tlsv{version}", "--tls-max", version, *[url] * 20]
    )
    assert done.stdout == "ok\n" * 20
    assert done.stderr.count(f"SSL connection using TLSv{version}") == 1


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_python_resumes_its_session(tls_rig, version):
    import socket

    context = ssl.create_default_context(cafile=str(tls_rig.ca_file))
    context.minimum_version = context.maximum_version = version
    session = None
    for _ in range(3):
        with socket.create_connection((tls_rig.host, tls_rig.hub_port), 30) as raw:
            with context.wrap_socket(raw, server_hostname=tls_rig.host, session=session) as connection:
                for _ in range(3):
                    assert http_request(connection, "GET", "/healthz")[0] == 200
                assert connection.session_reused == (session is not None)
                session = connection.session


def test_node_gets_its_bytes_back(tls_rig, node):
    """https and ws, and on the other side of the hub our own two ends."""
    order = {
        "host": tls_rig.host,
        "port": tls_rig.hub_port,
        "device": DEVICE,
        "blocks": [1, 65536, 1_000_000, 3],
        "name": f"echo.{os.urandom(4).hex()}",
        "authorization": service_token(tls_rig.service_cs),
    }
    answer = json.loads(node("service.js", tls_rig.ca_file, input=json.dumps(order)).stdout)
    assert (answer["accepted"], answer["same"]) == (True, True)


def test_our_own_ends_get_their_bytes_back(tls_rig):
    assert tls_rig.echo(os.urandom(300_000))


@pytest.mark.parametrize("version", ["tlsv1.2", "tlsv1.3"])
def test_mosquitto_publishes(tls_rig, version):
    name = f"mosquitto-{version}"
    tls_rig.admin("device", "remove", name, check=False)
    connection_string = tls_rig.add_device(name)
    host = parse_connection_string(connection_string)["HostName"]
    login = ["-i", name, "-u", f"{host}/{name}/?api-version=2020-09-30", "-P", device_token(connection_string)]
    command = [find_tool("mosquitto_pub"), "-h", host, "-p", tls_rig.mqtt_port, "--cafile", tls_rig.ca_file, *login]
    topic = f"devices/{name}/messages/events/"
    run([*command, "-V", "mqttv311", "--tls-version", version, "-q", "1", "-t", topic, "-m", "x" * 20_000])


# --- servers of the proxies


def server_certificate(rig):
    return rig.hub_directory / "hub.pem", rig.hub_directory / "hub.key"


def device_proxy_says(rig, mode, text):
    """Starts device-proxy with this record plane until it has said so."""
    path = rig.directory / "device-proxy.yaml"
    kept = [line for line in path.read_text().splitlines() if not line.startswith("tls:")]
    path.write_text("\n".join([*kept, f"tls: {{record_plane: {MODES[mode]}}}"]) + "\n")
    rig.device.environment.pop("DEVICE_STREAMS_RECORD_PLANE_BACKEND", None)
    if "EVP" in mode:
        rig.device.environment["DEVICE_STREAMS_RECORD_PLANE_BACKEND"] = "evp"
    before = len(rig.device.output()) if rig.device.output_file.exists() else 0
    rig.device.start()
    try:
        wait_until(lambda: text in rig.device.output()[before:], lambda: rig.device.output()[before:][-2000:])
    finally:
        rig.device.stop()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_as_server_renews_keys(strange_server, mode, version):
    rig = strange_server
    certificate, key = server_certificate(rig)
    accept = f"{rig.host}:{rig.hub_port}"
    command = [
        find_tool("openssl"),
        "s_server",
        "-state",
        "-accept",
        accept,
        "-cert",
        certificate,
        "-key",
        key,
        version,
    ]
    with Talk(*command) as server:
        server.wait_for("ACCEPT")

        def answer():
            server.wait_for("Sec-WebSocket-Protocol")
            for line in ["HTTP/1.1 418 Teapot\r\n", "K\n", "X-One: 1\r\n", "k\n", "Content-Length: 0\r\n\r\n"]:
                if version == "-tls1_3" or len(line) > 2:
                    server.process.stdin.write(line.encode())
                    server.process.stdin.flush()
                    threading.Event().wait(0.3)  # s_server takes commands only at the front of what it reads

        answering = threading.Thread(target=answer)
        answering.start()
        try:
            device_proxy_says(rig, mode, "418")
        finally:
            answering.join()
        assert version == "-tls1_2" or "read client key update" in server.said  # ours is the answer to K


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("version", ["TLS1.2", "TLS1.3"])
def test_gnutls_as_server(strange_server, mode, version):
    rig = strange_server
    certificate, key = server_certificate(rig)
    command = ["gnutls-serv", "--http", "-p", rig.hub_port, "--x509certfile", certificate, "--x509keyfile", key]
    with Talk(*command, "--priority", f"NORMAL:-VERS-ALL:+VERS-{version}") as server:
        server.wait_for("HTTP Server listening on IPv4")
        device_proxy_says(rig, mode, "HTTP 200")
        assert f"Version: {version}" in server.said
