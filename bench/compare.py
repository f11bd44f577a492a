#!/usr/bin/python3
"""Compares our chain with three HAProxy processes in the same roles, alternating inside each round.

Figures are ratios of medians and CPU seconds of all processes of a chain (user + system, from /proc), so that they hold
on a machine whose speed drifts. Everything runs on loopback and is stopped by pid.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

GIB = 1 << 30
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


class Processes:
    """Processes of one chain: started here, measured together, ended by pid."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def start(self, name, *command):
        log = open(self.folder / f"{name}.log", "wb")
        self.running.append(subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL))

    def cpu_seconds(self):
        total = 0
        for process in self.running:
            fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def stop(self):
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def make_hub(bins, folder):
    """A hub's files: certificates that both chains use, and one device."""
    port = free_port()
    hub = folder / "hub"
    subprocess.run([bins / "stream-hub", "init", hub, "--name", "bench", "--host", "127.0.0.1", "--port", str(port)],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run([bins / "stream-hub", "-c", hub / "stream-hub.yaml", "device", "add", "bench-device",
                    "--output", folder / "device.cs"], check=True, stdout=subprocess.DEVNULL)
    return hub, port


def start_ours(bins, folder, hub, port, target):
    listen = free_port()
    (folder / "device.yaml").write_text(
        f"hub:\n  connection_string_file: device.cs\n  ca_file: {hub}/hub-ca.pem\n  port: {port}\n"
        f"services:\n  bench: 127.0.0.1:{target}\n")
    (folder / "service.yaml").write_text(
        f"hub:\n  connection_string_file: {hub}/service.cs\n  ca_file: {hub}/hub-ca.pem\n  port: {port}\n"
        f"forwards:\n  - listen: 127.0.0.1:{listen}\n    device: bench-device\n    service: bench\n")
    chain = Processes(folder)
    with open(hub / "stream-hub.yaml", "a") as config:
        config.write("threads: 1\n")  # as HAProxy's nbthread
    chain.start("stream-hub", bins / "stream-hub", "-c", hub / "stream-hub.yaml")
    wait_for_port(port)
    chain.start("device-proxy", bins / "device-proxy", "-c", folder / "device.yaml")
    chain.start("service-proxy", bins / "service-proxy", "-c", folder / "service.yaml")
    wait_for_port(listen)
    return chain, listen


def haproxy_config(listen, target, certificate, ca, tls_in, tls_out):
    bind = f"127.0.0.1:{listen}" + (f" ssl crt {certificate}" if tls_in else "")
    out = f"127.0.0.1:{target}" + (f" ssl verify required ca-file {ca} verifyhost 127.0.0.1" if tls_out else "")
    return ("global\n  nbthread 1\n  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256\n"
            "  ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256\n"
            "defaults\n  mode tcp\n  timeout connect 10s\n  timeout client 1h\n  timeout server 1h\n"
            f"listen hop\n  bind {bind}\n  server next {out}\n")


def start_haproxy(folder, hub, target):
    pem = folder / "haproxy.pem"
    pem.write_text((hub / "hub.pem").read_text() + (hub / "hub.key").read_text())
    service, middle, device = free_port(), free_port(), free_port()
    roles = [("device", device, target, True, False), ("hub", middle, device, True, True),
             ("service", service, middle, False, True)]
    chain = Processes(folder)
    for name, listen, to, tls_in, tls_out in roles:
        config = folder / f"haproxy-{name}.cfg"
        config.write_text(haproxy_config(listen, to, pem, hub / "hub-ca.pem", tls_in, tls_out))
        chain.start(f"haproxy-{name}", shutil.which("haproxy", path="/usr/sbin:/usr/bin"), "-db", "-f", config)
        wait_for_port(listen)
    return chain, service


def measure(load, chain, port, direction, size):
    before = chain.cpu_seconds()
    wall = float(subprocess.run([load, direction, "127.0.0.1", str(port), str(size)], check=True, capture_output=True,
                                text=True).stdout)
    return {"cpu": (chain.cpu_seconds() - before) * GIB / size, "mib_s": size / wall / (1 << 20)}


def measure_latency(load, chain, port, what, count):
    before = chain.cpu_seconds()
    p50, p99 = map(float, subprocess.run([load, what, "127.0.0.1", str(port), str(count)], check=True,
                                         capture_output=True, text=True).stdout.split())
    return {"p50": p50, "p99": p99, "cpu_ms": 1000 * (chain.cpu_seconds() - before) / count}


def run_rounds(args, load, chains):
    rows = {}
    for number in range(args.rounds + 1):  # the first round warms up and is not counted
        for name, (chain, port) in chains.items():
            for direction in ("up", "down"):
                figure = measure(load, chain, port, direction, args.size * (1 << 20))
                if number:
                    rows.setdefault(direction, {}).setdefault(name, []).append(figure)
            for what, count in (("ping", args.pings), ("open", args.opens)):
                figure = measure_latency(load, chain, port, what, count)
                if number:
                    rows.setdefault(what, {}).setdefault(name, []).append(figure)
    return rows


def print_rows(rows):
    print(f"{'row':<6}{'figure':<22}{'ours':>10}{'haproxy':>10}{'ratio':>8}   ratio min..max over rounds")
    result = {}
    for row, names in rows.items():
        for figure in names["ours"][0]:
            ours = [each[figure] for each in names["ours"]]
            theirs = [each[figure] for each in names["haproxy"]]
            ratios = [a / b if b else float("nan") for a, b in zip(ours, theirs)]
            label = {"cpu": "chain CPU s/GiB", "mib_s": "MiB/s", "p50": "p50 us", "p99": "p99 us",
                     "cpu_ms": "chain CPU ms each"}[figure]
            print(f"{row:<6}{label:<22}{statistics.median(ours):>10.2f}{statistics.median(theirs):>10.2f}"
                  f"{statistics.median(ratios):>8.2f}   {min(ratios):.2f}..{max(ratios):.2f}")
            result[f"{row}.{figure}"] = {"ours": ours, "haproxy": theirs, "ratio": statistics.median(ratios)}
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "build/release/bin")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=512, help="MiB per transfer")
    parser.add_argument("--pings", type=int, default=5000)
    parser.add_argument("--opens", type=int, default=100)
    parser.add_argument("--json", type=pathlib.Path, help="also write every figure here")
    args = parser.parse_args()
    bins = args.bin.resolve()
    with tempfile.TemporaryDirectory(prefix="ds-bench-") as scratch:
        folder = pathlib.Path(scratch)
        load = bins / "ds-load"
        target = free_port()
        server = Processes(folder)
        server.start("server", load, "serve", str(target))
        wait_for_port(target)
        chains = {}
        try:
            hub, port = make_hub(bins, folder)
            chains["ours"] = start_ours(bins, folder, hub, port, target)
            chains["haproxy"] = start_haproxy(folder, hub, target)
            time.sleep(1)
            subprocess.run([load, "up", "127.0.0.1", str(chains["ours"][1]), "16000000", "check"], check=True,
                           stdout=subprocess.DEVNULL)
            result = print_rows(run_rounds(args, load, chains))
        finally:
            for chain, _ in chains.values():
                chain.stop()
            server.stop()
        if args.json:
            args.json.write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
