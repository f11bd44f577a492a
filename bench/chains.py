"""The candidates: what may stand between a client and a service, each in the roles service, hub and device.

All of them: one thread per process, TLS 1.3 with AES-128-GCM on the two legs that meet in the middle, certificates
verified, everything else as the program comes. A leg is dialled at bench.leg(role), where a relay may stand.
"""
import contextlib
import dataclasses
import getpass
import json
import os
import pathlib
import subprocess

from .processes import Processes, find_program, free_port, is_listening, run

TLS_MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")


@dataclasses.dataclass
class Chain:
    """A running candidate; clients connect to `port`."""
    name: str
    processes: Processes
    port: int


def loopback(bench, processes):
    """Nothing at all: what the load tools and the kernel cost."""
    return bench.target_port


# --- ours


@dataclasses.dataclass
class Threads:
    hub: int = 1
    proxies: int = 1


DEVICE = "bench-device"


def ours(bench, processes, threads=Threads()):
    hub_port, port = free_port(), free_port()
    hub = start_hub(bench, processes, hub_port, threads.hub)
    connection_string = bench.admin(hub, "device", "add", DEVICE)
    start_device_proxy(bench, processes, hub, hub_port, connection_string, threads.proxies)
    start_service_proxy(bench, processes, hub, hub_port, port, threads.proxies)
    processes.wait_until(lambda: json.loads(bench.admin(hub, "device", "show", DEVICE))["connected"], "the device")
    return port


def start_hub(bench, processes, port, threads, more=""):
    """Makes a hub and starts it; returns its directory."""
    hub = processes.folder / "hub"
    run(bench.bin / "stream-hub", "init", hub, "--name", "bench", "--host", bench.host, "--port", port)
    config = hub / "stream-hub.yaml"
    kept = [line for line in config.read_text().splitlines() if not line.startswith(("listen:", "threads:"))]
    config.write_text("\n".join([*kept, f"listen: 127.0.0.1:{port}", f"threads: {threads}", more]))
    processes.start_listening("hub", port, bench.bin / "stream-hub", "--config", config)
    return hub


def start_device_proxy(bench, processes, hub, hub_port, connection_string, threads):
    credential, config = processes.folder / "device.cs", processes.folder / "device-proxy.yaml"
    credential.touch(0o600)
    credential.write_text(connection_string)
    config.write_text(f"hub:\n  connection_string_file: {credential}\n  ca_file: {hub}/hub-ca.pem\n"
                      f"  address: {bench.leg('device')}\n  port: {hub_port}\nthreads: {threads}\n"
                      f"services:\n  bench: 127.0.0.1:{bench.target_port}\n")
    processes.start("device", bench.bin / "device-proxy", "--config", config)


def start_service_proxy(bench, processes, hub, hub_port, port, threads):
    config = processes.folder / "service-proxy.yaml"
    config.write_text(f"hub:\n  connection_string_file: {hub}/service.cs\n  ca_file: {hub}/hub-ca.pem\n"
                      f"  address: {bench.leg('service')}\n  port: {hub_port}\nthreads: {threads}\n"
                      f"forwards:\n  - listen: 127.0.0.1:{port}\n    device: {DEVICE}\n    service: bench\n")
    processes.start_listening("service", port, bench.bin / "service-proxy", "--config", config)


# --- three processes of one TLS proxy, each dialling the next


@dataclasses.dataclass
class Hop:
    """One process of such a chain: from `port` to `next_port` at `next_host`."""
    role: str
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
    for hop in (Hop("device", device, "127.0.0.1", bench.target_port),
                Hop("hub", hub, bench.leg("device"), device),
                Hop("service", service, bench.leg("service"), hub)):
        start_hop(bench, processes, hop)
    return service


def start_haproxy(bench, processes, hop):
    config = processes.folder / f"haproxy-{hop.role}.cfg"
    tls_in = f" ssl crt {bench.certificate_with_key}" if hop.tls_in else ""
    tls_out = f" ssl verify required ca-file {bench.ca} verifyhost {bench.host}" if hop.tls_out else ""
    config.write_text(f"""\
global
  nbthread 1
  ssl-default-bind-options ssl-min-ver TLSv1.3
  ssl-default-server-options ssl-min-ver TLSv1.3
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
  ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
listen hop
  bind 127.0.0.1:{hop.port}{tls_in}
  server next {hop.next_host}:{hop.next_port}{tls_out}
""")
    processes.start_listening(hop.role, hop.port, find_program("haproxy"), "-db", "-f", config)


def haproxy(bench, processes):
    return start_hops(bench, processes, start_haproxy)


def start_nginx(bench, processes, hop):
    folder = processes.folder / f"nginx-{hop.role}"
    folder.mkdir()
    tls_in = tls_out = ""
    if hop.tls_in:
        tls_in = (f"ssl_certificate {bench.certificate}; ssl_certificate_key {bench.key}; ssl_protocols TLSv1.3;"
                  " ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;")
    if hop.tls_out:
        tls_out = (f"proxy_ssl on; proxy_ssl_verify on; proxy_ssl_trusted_certificate {bench.ca};"
                   f" proxy_ssl_name {bench.host}; proxy_ssl_protocols TLSv1.3;"
                   " proxy_ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;")
    (folder / "nginx.conf").write_text(f"""\
load_module {TLS_MODULE};
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 8192; }}
stream {{
  proxy_timeout 1h;
  server {{
    listen 127.0.0.1:{hop.port}{" ssl" if hop.tls_in else ""};
    {tls_in}
    {tls_out}
    proxy_pass {hop.next_host}:{hop.next_port};
  }}
}}
""")
    processes.start_listening(hop.role, hop.port, find_program("nginx"), "-p", folder, "-e", "stderr", "-c",
                              folder / "nginx.conf")


def nginx(bench, processes):
    return start_hops(bench, processes, start_nginx)


def start_stunnel(bench, processes, hop):
    config = processes.folder / f"stunnel-{hop.role}.conf"
    tls = (f"cert = {bench.certificate}\nkey = {bench.key}" if hop.tls_in
           else f"client = yes\nCAfile = {bench.ca}\nverifyChain = yes\ncheckHost = {bench.host}")
    config.write_text(f"""\
foreground = yes
pid =
[hop]
accept = 127.0.0.1:{hop.port}
connect = {hop.next_host}:{hop.next_port}
sslVersion = TLSv1.3
ciphersuites = TLS_AES_128_GCM_SHA256
{tls}
""")
    processes.start_listening(hop.role, hop.port, find_program("stunnel4"), config)


def stunnel(bench, processes):
    """stunnel at both ends, which starts a thread for each stream, and HAProxy in the middle."""
    return start_hops(bench, processes, lambda *hop: (start_haproxy if hop[-1].role == "hub" else start_stunnel)(*hop))


# --- OpenSSH


def openssh(bench, processes):
    """`ssh -R` of the device and `ssh -L` of the service meet in an sshd."""
    sshd_port, middle, port = free_port(), free_port(), free_port()
    start_sshd(processes, sshd_port)
    start_ssh(bench, processes, "device", sshd_port, middle, "-R", f"127.0.0.1:{middle}:127.0.0.1:{bench.target_port}")
    start_ssh(bench, processes, "service", sshd_port, port, "-L", f"127.0.0.1:{port}:127.0.0.1:{middle}")
    return port


def start_sshd(processes, port):
    folder = processes.folder
    for name in ("host_key", "key"):
        run(find_program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", folder / name)
    (folder / "sshd_config").write_text(f"""\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
StrictModes no
UsePAM {"yes" if needs_pam() else "no"}
PidFile none
""")
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    processes.start_listening("hub", port, find_program("sshd"), "-D", "-e", "-f", folder / "sshd_config")


def needs_pam():
    """Without PAM sshd turns down accounts with a locked password, as root's often is."""
    if os.geteuid() != 0:
        return False
    entry = subprocess.run(["getent", "shadow", getpass.getuser()], capture_output=True, text=True).stdout
    return entry.split(":")[1:2] != [] and entry.split(":")[1].startswith("!")


def start_ssh(bench, processes, role, sshd_port, port, *forward):
    folder = processes.folder
    known_hosts = folder / f"known_hosts-{role}"
    known_hosts.write_text(f"[{bench.leg(role)}]:{sshd_port} {(folder / 'host_key.pub').read_text()}")
    processes.start_listening(
        role, port, find_program("ssh"), "-F", "none", "-i", folder / "key", "-o", "IdentitiesOnly=yes",
        "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={known_hosts}", "-o", "ExitOnForwardFailure=yes",
        "-c", "aes128-gcm@openssh.com", "-N", *forward, "-p", sshd_port, f"{getpass.getuser()}@{bench.leg(role)}")


CANDIDATES = {"ours": ours, "haproxy": haproxy, "nginx": nginx, "stunnel": stunnel, "openssh": openssh,
              "loopback": loopback}


@contextlib.contextmanager
def running(name, bench, start=None):
    """The candidate of this name (or what `start` starts), from its first process to the end of its last."""
    with Processes(bench.new_folder(name)) as processes:
        yield Chain(name, processes, (start or CANDIDATES[name])(bench, processes))
