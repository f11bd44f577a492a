"""The chain of this project: service-proxy, stream-hub, device-proxy."""
import dataclasses
import json

from tests.harness.programs import free_port

from .hub import Hub
from .record_planes import AUTO

DEVICE = "bench-device"


@dataclasses.dataclass(frozen=True)
class Threads:
    hub: int = 1
    proxies: int = 1


def ours(bench, processes, threads=Threads(), plane=AUTO):
    hub = Hub(bench, processes.folder / "hub")
    hub.start(processes, threads.hub, plane)
    start_device_proxy(bench, processes, hub, threads.proxies, plane)
    port = start_service_proxy(bench, processes, hub, threads.proxies, plane)
    processes.wait_until(lambda: json.loads(hub.admin("device", "show", DEVICE))["connected"], "the device's link")
    return port


def start_device_proxy(bench, processes, hub, threads, plane):
    credential, config = processes.folder / "device.cs", processes.folder / "device-proxy.yaml"
    hub.admin("device", "add", DEVICE, "--output", credential)
    config.write_text(
        f"hub:\n  connection_string_file: {credential}\n  ca_file: {hub.ca}\n"
        f"  address: {bench.places.leg('device', hub.port)}\n  port: {hub.port}\nthreads: {threads}\n{plane.settings}"
        f"services:\n  bench: 127.0.0.1:{bench.target_port}\n"
    )
    processes.start("device", bench.bin / "device-proxy", "--config", config, env=plane.env)


def start_service_proxy(bench, processes, hub, threads, plane):
    port, config = free_port(), processes.folder / "service-proxy.yaml"
    config.write_text(
        f"hub:\n  connection_string_file: {hub.folder}/service.cs\n  ca_file: {hub.ca}\n"
        f"  address: {bench.places.leg('service', hub.port)}\n  port: {hub.port}\nthreads: {threads}\n{plane.settings}"
        f"forwards:\n  - listen: 127.0.0.1:{port}\n    device: {DEVICE}\n    service: bench\n"
    )
    processes.start_listening("service", port, bench.bin / "service-proxy", "--config", config, env=plane.env)
    return port
