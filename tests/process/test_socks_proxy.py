"""Networks whose only way out is a SOCKS 5 proxy: ssh -D, and one with a password."""
import contextlib

import pytest
from tests.harness.http_proxies import SilentProxy
from tests.harness.programs import run, wait_until
from tests.harness.proxied_rig import OneStream, ProxiedRig, carries_both_ways, works
from tests.harness.socks_proxies import Microsocks, SshDynamicForward


@contextlib.contextmanager
def running(directory, kind, **options):
    rig = ProxiedRig(directory, lambda rig: kind(rig.directory), **options)
    try:
        yield rig.start()
    finally:
        rig.finish()


@pytest.fixture(scope="module", params=[SshDynamicForward, Microsocks])
def proxied(request, tmp_path_factory):
    with running(tmp_path_factory.mktemp("proxied"), request.param) as rig:
        yield rig


@pytest.fixture(scope="module")
def behind_password(tmp_path_factory):
    with running(tmp_path_factory.mktemp("behind"), Microsocks) as rig:
        yield rig


@pytest.fixture(scope="module")
def behind_ssh(tmp_path_factory):
    with running(tmp_path_factory.mktemp("behind"), SshDynamicForward) as rig:
        yield rig


# --- what works


def test_ssh_and_bulk_pass_and_every_connection_to_the_hub_uses_the_proxy(proxied, tmp_path):
    assert run(proxied.ssh("echo", "far", "side")).stdout == "far side\n"
    requests = proxied.proxy.requests()
    # The link, the device's leg, and what asked for the stream and became the service's leg.
    assert len(requests) >= 3 and set(requests) == {f"127.0.0.1:{proxied.hub_port}"}
    carries_both_ways(proxied, tmp_path)
    proxied.device.wait_for(rf'linked to the hub.*"way":"{proxied.proxy.url}"')
    proxied.check_output()


@pytest.mark.parametrize("kind", [SshDynamicForward, Microsocks])
def test_mqtt_goes_through_the_proxy_as_well(tmp_path, kind):
    with running(tmp_path / "rig", kind, mqtt_transport=True) as rig:
        assert rig.echo()
        assert f"127.0.0.1:{rig.mqtt_port}" in rig.proxy.requests()


def test_the_proxy_is_left_to_resolve_names(behind_ssh, tmp_path):
    lines = [f"http_proxy: {behind_ssh.proxy.url}", "address: localhost"]
    OneStream(behind_ssh, tmp_path, lines).check_carried()
    assert f"localhost:{behind_ssh.hub_port}" in behind_ssh.proxy.requests()


def test_the_environment_names_a_proxy_and_its_exceptions(behind_password, tmp_path):
    own = Microsocks(tmp_path).start()
    try:
        environment = {"ALL_PROXY": own.url_with_credentials}
        OneStream(behind_password, tmp_path, [], environment).check_carried()
        used = len(own.requests())
        assert used > 0
        OneStream(behind_password, tmp_path, [], {**environment, "no_proxy": "127.0.0.0/8"}).check_carried()
        assert len(own.requests()) == used
    finally:
        own.stop()


def test_the_tunnel_is_back_when_ssh_is(behind_ssh):
    mark = behind_ssh.device.mark()
    behind_ssh.proxy.stop()
    try:
        behind_ssh.device.wait_for(f"hub link: DS-211 .*{behind_ssh.proxy.url}", mark)
    finally:
        behind_ssh.proxy.start()
    behind_ssh.device.wait_for("linked to the hub", mark)
    wait_until(lambda: works(behind_ssh), "new streams to work")


# --- what goes wrong


def test_a_wrong_password_is_told(behind_password, tmp_path):
    wrong = behind_password.proxy.url.replace("//", "//anna:sesame-wrong@")
    OneStream(behind_password, tmp_path, [f"http_proxy: {wrong}"]).check_failed(
        "DS-214", behind_password.proxy.url, "it does not accept user and password"
    )


def test_a_missing_password_is_told(behind_password, tmp_path):
    OneStream(behind_password, tmp_path, [f"http_proxy: {behind_password.proxy.url}"]).check_failed(
        "DS-214", "it wants user and password"
    )


@pytest.mark.parametrize(
    "change, words", [("address: nowhere.invalid", "nowhere.invalid"), ("address: 127.0.0.9", "refused")]
)
def test_a_hub_that_the_proxy_does_not_reach_is_told(behind_password, tmp_path, change, words):
    lines = [f"http_proxy: {behind_password.proxy.url_with_credentials}"]
    OneStream(behind_password, tmp_path, [*lines, change]).check_failed("DS-216", words)


@pytest.mark.parametrize("change", ["address: nowhere.invalid", "address: 127.0.0.9"])
def test_a_hub_that_ssh_does_not_reach_is_told(behind_ssh, tmp_path, change):
    lines = [f"http_proxy: {behind_ssh.proxy.url}", change]
    OneStream(behind_ssh, tmp_path, lines).check_failed("DS-216", "as ssh -D does")


def test_a_proxy_that_stalls_is_told(behind_ssh, tmp_path):
    with contextlib.closing(SilentProxy()) as silent:
        url = silent.url.replace("http", "socks5h")
        OneStream(behind_ssh, tmp_path, [f"http_proxy: {url}"]).check_failed("DS-212", url)


def test_what_is_no_socks_proxy_is_told(behind_ssh, tmp_path):
    hub = f"http_proxy: socks5h://127.0.0.1:{behind_ssh.hub_port}"
    OneStream(behind_ssh, tmp_path, [hub]).check_failed("DS-212", "whether it speaks HTTP or SOCKS")


def test_an_http_proxy_is_told_from_a_socks_proxy(behind_password, tmp_path):
    url = behind_password.proxy.url.replace("socks5h", "http")
    OneStream(behind_password, tmp_path, [f"http_proxy: {url}"]).check_failed("DS-217", "socks5h://")
