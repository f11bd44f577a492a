"""Companies' networks: the hub is reached through an HTTP proxy only."""
import contextlib
import re
import signal
import socket

import pytest
from tests.harness.http_proxies import USER, SilentProxy, Squid, Tinyproxy
from tests.harness.programs import run, wait_until
from tests.harness.proxied_rig import OneStream, ProxiedRig, carries_both_ways, works


def tinyproxy(rig):
    return Tinyproxy(rig.directory, [rig.hub_port, rig.mqtt_port])


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    rig = ProxiedRig(tmp_path_factory.mktemp("proxied"), tinyproxy)
    try:
        yield rig.start()
    finally:
        rig.finish()


# --- what works


def test_ssh_runs_through_the_proxy_which_every_connection_to_the_hub_uses(proxied):
    assert run(proxied.ssh("echo", "far", "side")).stdout == "far side\n"
    requests = proxied.proxy.requests()
    # The link, the device's leg, and what asked for the stream and became the service's leg.
    assert len(requests) >= 3 and set(requests) == {f"127.0.0.1:{proxied.hub_port}"}
    proxied.check_output()


def test_the_log_says_which_way_the_link_goes(proxied):
    proxied.device.wait_for(rf'linked to the hub.*"way":"{re.escape(proxied.proxy.url)}"')


def test_bulk_passes_unchanged(proxied, tmp_path):
    carries_both_ways(proxied, tmp_path)


@pytest.mark.release_only
def test_mqtt_goes_through_the_proxy_as_well(tmp_path):
    rig = ProxiedRig(tmp_path / "rig", tinyproxy, mqtt_transport=True)
    try:
        rig.start()
        assert rig.echo()
        assert f"127.0.0.1:{rig.mqtt_port}" in rig.proxy.requests()
    finally:
        rig.finish()


def test_a_proxy_with_tls_carries_ssh_and_bulk(tmp_path):
    rig = ProxiedRig(tmp_path / "rig", lambda rig: Squid(rig.directory))
    try:
        rig.start()
        assert run(rig.ssh("echo", "far", "side")).stdout == "far side\n"
        carries_both_ways(rig, tmp_path)
        rig.device.wait_for(rf'"way":"https://127.0.0.1:{rig.proxy.port}"')
        wait_until(rig.proxy.requests, "squid to tell of a finished connection")
        assert set(rig.proxy.requests()) == {f"127.0.0.1:{rig.hub_port}"}
    finally:
        rig.finish()


def test_a_dead_proxy_is_named_and_the_tunnel_is_back_when_it_is(proxied):
    marks = proxied.device.mark(), proxied.service.mark()
    proxied.proxy.stop()
    try:
        proxied.device.wait_for(r"hub link: DS-211 .*" + re.escape(proxied.proxy.url), marks[0])
        with pytest.raises(ConnectionResetError):
            proxied.echo()
        proxied.service.wait_for("no stream: DS-211 ", marks[1])
    finally:
        proxied.proxy.start()
    proxied.device.wait_for("linked to the hub", marks[0])
    wait_until(lambda: works(proxied), "new streams to work")


def test_a_reload_takes_another_proxy(proxied, tmp_path):
    other = Tinyproxy(tmp_path, [proxied.hub_port], name="other").start()
    originals = {program: proxied.directory / f"{program.name}.yaml" for program in (proxied.device, proxied.service)}
    texts = {program: path.read_text() for program, path in originals.items()}
    try:
        with proxied.connect("echo") as client:
            client.sendall(b"before")
            assert client.recv(6, socket.MSG_WAITALL) == b"before"
            for program, path in originals.items():
                since = program.mark()
                path.write_text(texts[program].replace(proxied.proxy.url, other.url))
                program.signal(signal.SIGHUP)
                program.wait_for("configuration reloaded.*hub.http_proxy", since)
            proxied.device.wait_for(f"link to the hub renewed.*{other.url}", since=0)
            before = len(proxied.proxy.requests())
            assert proxied.echo()
            assert len(proxied.proxy.requests()) == before and len(other.requests()) >= 3
            client.sendall(b"after")
            assert client.recv(5, socket.MSG_WAITALL) == b"after"
    finally:
        for program, path in originals.items():
            since = program.mark()
            path.write_text(texts[program])
            program.signal(signal.SIGHUP)
            program.wait_for("configuration reloaded", since)
        proxied.device.wait_for(f"link to the hub renewed.*{proxied.proxy.url}")
        other.stop()


# --- what goes wrong, and what the environment says


def test_a_wrong_password_is_told(proxied, tmp_path):
    wrong = proxied.proxy.url.replace("//", f"//{USER}:sesame-wrong@")
    OneStream(proxied, tmp_path, [f"http_proxy: {wrong}"]).check_failed(
        "DS-214", proxied.proxy.url, "it does not accept user and password"
    )


def test_a_missing_password_is_told(proxied, tmp_path):
    OneStream(proxied, tmp_path, [f"http_proxy: {proxied.proxy.url}"]).check_failed(
        "DS-214", "it wants user and password"
    )


def test_credentials_in_the_url_do(proxied, tmp_path):
    OneStream(proxied, tmp_path, [f"http_proxy: {proxied.proxy.url_with_credentials}"]).check_carried()


def test_a_port_that_the_proxy_refuses_is_told(proxied, tmp_path):
    strict = Tinyproxy(tmp_path, [443], name="strict").start()
    try:
        OneStream(proxied, tmp_path, [f"http_proxy: {strict.url_with_credentials}"]).check_failed("DS-215", "403")
    finally:
        strict.stop()


def test_a_hub_that_the_proxy_does_not_find_is_told(proxied, tmp_path):
    lines = [f"http_proxy: {proxied.proxy.url_with_credentials}", "address: nowhere.invalid"]
    OneStream(proxied, tmp_path, lines).check_failed("DS-216", f"nowhere.invalid:{proxied.hub_port}")


def test_a_proxy_that_stalls_is_told(proxied, tmp_path):
    with contextlib.closing(SilentProxy()) as silent:
        OneStream(proxied, tmp_path, [f"http_proxy: {silent.url}"]).check_failed("DS-212", silent.url)


def test_a_hub_instead_of_a_proxy_is_told(proxied, tmp_path):
    OneStream(proxied, tmp_path, [f"http_proxy: http://127.0.0.1:{proxied.hub_port}"]).check_failed("DS-217")


def test_plain_http_instead_of_tls_is_told(proxied, tmp_path):
    OneStream(proxied, tmp_path, [f"http_proxy: https://127.0.0.1:{proxied.proxy.port}"]).check_failed("DS-213")


def test_the_environment_names_a_proxy(proxied, tmp_path):
    own = Tinyproxy(tmp_path, [proxied.hub_port], name="own").start()
    try:
        OneStream(proxied, tmp_path, [], {"https_proxy": own.url_with_credentials}).check_carried()
        assert own.requests()
    finally:
        own.stop()
