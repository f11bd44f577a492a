"""Reverse proxies before the hub, as operators run them: every one carries every stream."""
import concurrent.futures
import os
import re
import subprocess

import pytest
from tests.harness.front_ends import Apache, Caddy, FrontEndRig, Haproxy, HaproxyTcp, Nginx, NginxTcp, page, replaced
from tests.harness.programs import BIN
from tests.harness.rig import DEVICE

pytestmark = pytest.mark.release_only


def nginx(*changes):
    return Nginx(replaced(page("nginx", "ssl_verify"), *changes))


def without_upgrade(text):
    """As many have it for what is no WebSocket: `Connection ''` for requests, and the map for the rest."""
    location = re.search(r"^    location / \{.*?^    \}\n", text, re.MULTILINE | re.DOTALL)[0]
    requests = replaced(
        location,
        ("location /", "location /twins/"),
        ("$connection_upgrade", "''"),
        ("        proxy_set_header Upgrade $http_upgrade;\n", ""),
    )
    return text.replace(location, location + requests)


def haproxy(*changes):
    return Haproxy(replaced(page("haproxy", "verify required"), *changes))


KEEPALIVE = (
    ("proxy_pass https://127.0.0.1:8443", "proxy_pass https://hub"),
    ("server {\n", "upstream hub {\n    server 127.0.0.1:8443;\n    keepalive 32;\n}\nserver {\n"),
)
FIXED_UPGRADE = ("$connection_upgrade;", '"upgrade";')
NGINX_WEBSOCKET = ("default upgrade;\n    ''      close;", "default close;\n    websocket upgrade;")
REUSE = {how: ("    server hub", f"    http-reuse {how}\n    server hub") for how in ("never", "safe", "always")}
HAPROXY_WEBSOCKET = (
    "    server hub",
    "    acl websocket req.hdr(upgrade) -i websocket\n"
    "    http-request del-header connection unless websocket\n"
    "    http-request del-header upgrade unless websocket\n"
    "    server hub",
)
SERVER_CLOSE = ("    mode http\n", "    mode http\n    option http-server-close\n")

SETUPS = {
    "nginx with its map": nginx,
    "nginx with its map and upstream keepalive": lambda: nginx(*KEEPALIVE, ("close;", "'';")),
    "nginx without upgrade of requests": lambda: Nginx(without_upgrade(nginx().text)),
    "nginx without upgrade of requests, with upstream keepalive": lambda: Nginx(
        without_upgrade(nginx(*KEEPALIVE).text)
    ),
    "nginx that always says upgrade": lambda: nginx(FIXED_UPGRADE),
    "nginx that upgrades to websocket only": lambda: nginx(NGINX_WEBSOCKET),
    "haproxy, http-reuse never": lambda: haproxy(REUSE["never"]),
    "haproxy, http-reuse safe": lambda: haproxy(REUSE["safe"]),
    "haproxy, http-reuse always": lambda: haproxy(REUSE["always"]),
    "haproxy that upgrades to websocket only, http-reuse never": lambda: haproxy(REUSE["never"], HAPROXY_WEBSOCKET),
    "haproxy that upgrades to websocket only, http-reuse safe": lambda: haproxy(REUSE["safe"], HAPROXY_WEBSOCKET),
    "haproxy that upgrades to websocket only, http-reuse always": lambda: haproxy(REUSE["always"], HAPROXY_WEBSOCKET),
    "haproxy, http-server-close": lambda: haproxy(SERVER_CLOSE),
    "apache": lambda: Apache(page("apache", "SSLProxyVerify")),
    "caddy": lambda: Caddy(page("caddy", "tls_server_name")),
    "nginx passing TCP through": lambda: NginxTcp(
        replaced(page("nginx", "stream {"), ("        proxy_protocol on;\n", ""))
    ),
    "haproxy passing TCP through": lambda: HaproxyTcp(replaced(page("haproxy", "mode tcp"), (" send-proxy-v2", ""))),
}


@pytest.fixture(params=SETUPS)
def fronted(request, tmp_path):
    rig = FrontEndRig(tmp_path / "rig", SETUPS[request.param]())
    try:
        yield rig.start()
    finally:
        rig.finish()


def through_stdio(rig, payload):
    """A fresh service-proxy for one stream."""
    done = subprocess.run(
        [BIN / "service-proxy", "--config", rig.directory / "service-proxy.yaml", "--stdio", f"{DEVICE}/echo"],
        input=payload,
        capture_output=True,
        timeout=60,
    )
    return done.returncode == 0 and done.stdout == payload


def through_forward(rig, payload):
    try:
        return rig.echo(payload)
    except OSError:
        return False


def carried(way, rig, count, at_once=1):
    """How many of so many streams brought all their bytes back unchanged."""
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        return sum(pool.map(lambda _: way(rig, os.urandom(50_000)), range(count)))


def test_every_stream_passes(fronted):
    counts = {
        "fresh programs": carried(through_stdio, fronted, 5),
        "one by one": carried(through_forward, fronted, 5),
        "at once": carried(through_forward, fronted, 20, at_once=20),
        "at once again": carried(through_forward, fronted, 20, at_once=20),
    }
    assert list(counts.values()) == [5, 5, 20, 20], counts
