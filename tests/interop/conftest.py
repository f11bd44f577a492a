"""Fixtures of the interop tests: those of the process tests, plus the third-party clients."""
import importlib.util
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "process"))

_specification = importlib.util.spec_from_file_location("process_conftest", HERE.parent / "process" / "conftest.py")
_process = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(_process)
shared_rig, rig, pytest_configure = _process.shared_rig, _process.rig, _process.pytest_configure
pytest_runtest_makereport = _process.pytest_runtest_makereport

from harness.programs import find_tool, run  # noqa: E402


@pytest.fixture(scope="session")
def node():
    """Runs one of clients/*.js to its end: node("service.js", ca_file, input=...)."""
    assert (HERE / "node_modules").is_dir(), "run npm ci in tests/interop, as scripts/test does"

    def start(script, ca_file, *arguments, **options):
        environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(ca_file)}
        return run([find_tool("node"), HERE / "clients" / script, *arguments], env=environment, **options)

    return start


@pytest.fixture
def node_program(rig, tmp_path):
    """Starts one of clients/*.js that stays: node_program(script, *arguments, stdin=text); ended after the test."""
    import subprocess
    from harness.programs import Program
    started = []

    class Script(Program):
        def start(self, stdin=b"", ca_file=None):
            environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(ca_file)}
            with open(self.output_file, "ab") as output:
                self.process = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=output, stderr=output,
                                                env=environment)
            self.process.stdin.write(stdin)
            self.process.stdin.flush()
            return self

    def start(script, *arguments, stdin, ca_file=None, keep_open=False):
        program = Script(script, [find_tool("node"), HERE / "clients" / script, *arguments], tmp_path)
        program.start(stdin.encode(), ca_file or rig.ca_file)
        started.append(program)
        if not keep_open:
            program.process.stdin.close()
        return program

    yield start
    for program in started:
        if program.process:
            program.kill()
