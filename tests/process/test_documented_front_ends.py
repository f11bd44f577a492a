"""The configurations that docs/reverse-proxies.md shows, each as it stands there: what the page promises of them."""
import re
import time
import urllib.parse

import pytest
from tests.harness.front_ends import (
    Apache,
    Caddy,
    FrontEndRig,
    Haproxy,
    HaproxyTcp,
    Nginx,
    NginxTcp,
    of_page,
    page,
    replaced,
    shown,
)
from tests.harness.programs import wait_until
from tests.harness.wire import service_token

pytestmark = pytest.mark.release_only

# Every limit that is not for silent streams is cut to this, so that a stream that falls under one is seen to end.
SHORT = 2
LIMITS = "client_header_timeout client_body_timeout keepalive_timeout send_timeout".split()
NGINX_LIMITS = ("server {\n", "server {\n" + "".join(f"    {limit} {SHORT}s;\n" for limit in LIMITS))
HAPROXY_LIMITS = [
    (f"timeout {limit}", f"timeout {limit} {SHORT}s #") for limit in ("http-request", "http-keep-alive", "client ")
]


def with_plain_http(text, replaced_part, block):
    """The complete configuration with its part that speaks TLS to the hub replaced by the page's block."""
    assert re.search(replaced_part, text, re.MULTILINE | re.DOTALL), f"no {replaced_part} in {text}"
    return re.sub(replaced_part, lambda _: block, text, flags=re.MULTILINE | re.DOTALL)


def nginx(text):
    return Nginx(replaced(text, NGINX_LIMITS))


def haproxy(text):
    return Haproxy(replaced(text, *HAPROXY_LIMITS))


def apache(text):
    return Apache(f"Timeout {SHORT}\n{text}")


NGINX, HAPROXY = page("nginx", "ssl_verify"), page("haproxy", "verify required")
APACHE, CADDY = page("apache", "SSLProxyVerify"), page("caddy", "tls_server_name")
ENCRYPTED = {
    "nginx": lambda: nginx(NGINX),
    "haproxy": lambda: haproxy(HAPROXY),
    "apache": lambda: apache(APACHE),
    "caddy": lambda: Caddy(CADDY),
}
PASSED = {
    "nginx passing TCP": lambda: NginxTcp(page("nginx", "stream {")),
    "haproxy passing TCP": lambda: HaproxyTcp(page("haproxy", "mode tcp")),
}
PLAIN = {
    "nginx with plain HTTP": lambda: nginx(
        with_plain_http(NGINX, r"^    location.*?^    \}\n", page("nginx", ":8080"))
    ),
    "haproxy with plain HTTP": lambda: haproxy(with_plain_http(HAPROXY, r"^backend .*", page("haproxy", ":8080"))),
    "apache with plain HTTP": lambda: apache(
        with_plain_http(APACHE, r"^    SSLProxy.*^    ProxyPass .*?\n", page("apache", ":8080"))
    ),
    "caddy with plain HTTP": lambda: Caddy(
        with_plain_http(CADDY, r"^    reverse_proxy .*?^    \}\n", page("caddy", ":8080"))
    ),
}
UNIX = {
    "nginx with a Unix socket": lambda: nginx(
        with_plain_http(
            with_plain_http(NGINX, r"^    location.*?^    \}\n", page("nginx", ":8080")),
            r"^        proxy_pass .*?\n",
            page("nginx", "http.sock"),
        )
    ),
}
ALL = {**ENCRYPTED, **PASSED, **PLAIN, **UNIX}


def without_tls(rig, listen_plain, trusted):
    """Plain HTTP is all that the hub needs for this: it has no certificate."""
    rig.set_hub_yaml(listen="off", listen_plain=listen_plain, trusted_proxies=f"[{trusted}]")
    path = rig.hub_directory / "stream-hub.yaml"
    path.write_text(re.sub(r"^(certificate|key|mqtt_listen):.*\n", "", path.read_text(), flags=re.MULTILINE))


@pytest.fixture(scope="module")
def fronted(request, tmp_path_factory):
    rig = FrontEndRig(tmp_path_factory.mktemp("fronted") / "rig", ALL[request.param]()).init()
    try:
        if request.param in UNIX:
            without_tls(rig, f"unix:{rig.front_end.sockets}/http.sock", "unix")
        elif request.param in PLAIN:
            without_tls(rig, f"127.0.0.1:{rig.hub_port}", "127.0.0.1")
        else:
            rig.set_hub_yaml(trusted_proxies="[127.0.0.1]")
        yield rig.bring_up()
    finally:
        rig.finish()


def behind(*groups):
    return pytest.mark.parametrize("fronted", [name for group in groups for name in group], indirect=True)


@behind(ENCRYPTED, PASSED, PLAIN, UNIX)
def test_streams_pass_and_a_silent_one_outlives_all_limits_but_its_own(fronted):
    assert all(fronted.echo(bytes([number]) * 50_000) for number in range(5))
    with fronted.running_stream() as client:
        time.sleep(SHORT + 1)
        client.sendall(b"y")
        assert client.recv(1) == b"y"


@behind(ENCRYPTED, PASSED, PLAIN, UNIX)
def test_the_hub_knows_the_clients_address(fronted):
    fronted.hub.wait_for(r'"device link up".*"peer":"\[::1\]')


@behind(ENCRYPTED, PLAIN, UNIX)
def test_a_client_cannot_write_its_address_itself(fronted):
    """It is refused for its credential, and the line names where it really came from."""
    forged = {"Forwarded": 'for=192.0.2.66;x="', "X-Forwarded-For": '"', "Authorization": "SharedAccessSignature sr=x"}
    path = "/twins/dev-01/streams/echo.00000000?api-version=2020-09-30"
    before = fronted.hub.output()
    status, body = fronted.request("POST", path, forged)
    assert status == 401, (status, body)
    wait_until(lambda: '"peer":"[::1]' in fronted.hub.output()[len(before) :], "the line about the refusal")
    assert "192.0.2.66" not in fronted.hub.output()


@behind(ENCRYPTED, PLAIN, UNIX)
def test_ids_of_any_characters_pass(fronted):
    device = "press:3.+%2F%20#?*(!)@,='$_-"
    fronted.add_device(device)
    path = f"/twins/{urllib.parse.quote(device, safe='')}/streams/echo.00000000?api-version=2020-09-30"
    status, body = fronted.request("POST", path, {"Authorization": service_token(fronted.service_cs)})
    assert status == 404 and b"404103" in body, (status, body)
    fronted.admin("device", "remove", device)


@behind([name for name in (*ENCRYPTED, *PASSED) if name != "caddy"])
def test_a_reload_keeps_streams(fronted):
    with fronted.running_stream() as client:
        fronted.front_end.reload()
        for _ in range(10):
            time.sleep(0.1)
            client.sendall(b"y")
            assert client.recv(1) == b"y"
        assert fronted.echo()


@behind(["caddy"])
def test_a_reload_of_caddy_cuts_streams_and_new_ones_work(fronted):
    with fronted.running_stream() as client:
        fronted.front_end.reload()
        with pytest.raises(ConnectionResetError):
            assert client.recv(1) != b"", "a stream that was cut must not look like a clean end"
    fronted.wait_online()
    wait_until(fronted.echo, "new streams to work")


def test_the_page_shows_no_configuration_that_no_test_runs():
    for make in ALL.values():
        make()
    assert [str(block) for block in of_page() if block.language not in ("sh", "yaml") and block.text not in shown] == []
