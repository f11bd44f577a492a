"""The third-party clients."""
import os
import pathlib
import subprocess

import pytest
from tests.harness.programs import Program, find_tool, run

HERE = pathlib.Path(__file__).parent


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
    started = []

    class Script(Program):
        def start(self, stdin=b"", ca_file=None):
            environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(ca_file)}
            with open(self.output_file, "ab") as output:
                self.process = subprocess.Popen(
                    self.argv, stdin=subprocess.PIPE, stdout=output, stderr=output, env=environment
                )
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
