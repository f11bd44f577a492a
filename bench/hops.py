"""Chains of three TLS proxies, each of which dials the next: HAProxy, nginx, and stunnel with HAProxy in the middle."""
import dataclasses
import functools
import pathlib

from tests.harness.programs import find_tool, free_port

# With the larger one HAProxy takes about a tenth less CPU in bulk, nginx a twentieth; 64 and 128 KiB give nothing more.
# Both come with the other one, which takes less memory.
BUFFER, LEAN_BUFFER = 32 * 1024, 16 * 1024
STREAM_MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")


@dataclasses.dataclass(frozen=True)
class Hop:
    """One process: from `port` at `address` to `next_port` at `next_host`."""

    role: str
    address: str
    port: int
    next_host: str
    next_port: int

    @property
    def tls_in(self):
        return self.role != "service"

    @property
    def tls_out(self):
        return self.role != "device"


def start_hops(bench, processes, start_hop):
    """Starts the device first, so that nobody dials into the void; returns the port of the chain."""
    service, hub, device = free_port(), free_port(), free_port()
    places = bench.places
    for role, port, next_host, next_port in (
        ("device", device, "127.0.0.1", bench.target_port),
        ("hub", hub, places.leg("device", device, to="device"), device),
        ("service", service, places.leg("service", hub), hub),
    ):
        start_hop(bench, processes, Hop(role, places.address(role), port, next_host, next_port))
    return service


def start_haproxy(bench, processes, hop, buffer=BUFFER):
    config = processes.folder / f"haproxy-{hop.role}.cfg"
    tls_in = f" ssl crt {bench.certificate_with_key}" if hop.tls_in else ""
    tls_out = f" ssl verify required ca-file {bench.ca} verifyhost {bench.host}" if hop.tls_out else ""
    config.write_text(
        f"""\
global
  nbthread 1
  ssl-default-bind-options ssl-min-ver TLSv1.3
  ssl-default-server-options ssl-min-ver TLSv1.3
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
  ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256
  maxconn 4000
  tune.bufsize {buffer}
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
listen hop
  bind {hop.address}:{hop.port}{tls_in}
  server next {hop.next_host}:{hop.next_port}{tls_out}
"""
    )
    processes.start_listening(hop.role, hop.port, find_tool("haproxy"), "-db", "-f", config)


def haproxy(bench, processes):
    return start_hops(bench, processes, start_haproxy)


def lean_haproxy(bench, processes):
    return start_hops(bench, processes, functools.partial(start_haproxy, buffer=LEAN_BUFFER))


def start_nginx(bench, processes, hop, buffer=BUFFER):
    folder = processes.folder / f"nginx-{hop.role}"
    folder.mkdir()
    tls_in = tls_out = ""
    if hop.tls_in:
        tls_in = (
            f"ssl_certificate {bench.certificate}; ssl_certificate_key {bench.key}; ssl_protocols TLSv1.3;"
            " ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;"
        )
    if hop.tls_out:
        tls_out = (
            f"proxy_ssl on; proxy_ssl_verify on; proxy_ssl_trusted_certificate {bench.ca};"
            f" proxy_ssl_name {bench.host}; proxy_ssl_protocols TLSv1.3;"
            " proxy_ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;"
        )
    (folder / "nginx.conf").write_text(
        f"""\
load_module {STREAM_MODULE};
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 8192; }}
stream {{
  proxy_timeout 1h;
  proxy_buffer_size {buffer};
  server {{
    listen {hop.address}:{hop.port}{" ssl" if hop.tls_in else ""};
    {tls_in}
    {tls_out}
    proxy_pass {hop.next_host}:{hop.next_port};
  }}
}}
"""
    )
    processes.start_listening(
        hop.role, hop.port, find_tool("nginx"), "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf"
    )


def nginx(bench, processes):
    return start_hops(bench, processes, start_nginx)


def lean_nginx(bench, processes):
    return start_hops(bench, processes, functools.partial(start_nginx, buffer=LEAN_BUFFER))


def start_stunnel(bench, processes, hop):
    config = processes.folder / f"stunnel-{hop.role}.conf"
    tls = (
        f"cert = {bench.certificate}\nkey = {bench.key}"
        if hop.tls_in
        else f"client = yes\nCAfile = {bench.ca}\nverifyChain = yes\ncheckHost = {bench.host}"
    )
    config.write_text(
        f"""\
foreground = yes
pid =
[hop]
accept = {hop.address}:{hop.port}
connect = {hop.next_host}:{hop.next_port}
sslVersion = TLSv1.3
ciphersuites = TLS_AES_128_GCM_SHA256
{tls}
"""
    )
    processes.start_listening(hop.role, hop.port, find_tool("stunnel4"), config)


def stunnel(bench, processes, buffer=BUFFER):
    """stunnel at both ends, which starts a thread for each stream, and HAProxy in the middle."""
    middle = functools.partial(start_haproxy, buffer=buffer)
    return start_hops(bench, processes, lambda *hop: (middle if hop[-1].role == "hub" else start_stunnel)(*hop))


def lean_stunnel(bench, processes):
    return stunnel(bench, processes, buffer=LEAN_BUFFER)
