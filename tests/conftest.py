"""Fixtures of the tests that run the programs: real binaries, real OpenSSH, everything on loopback."""
import os

import pytest
from tests.harness.rig import Rig


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Nothing may be skipped unnoticed where the tests decide what lands."""
    report = (yield).get_result()
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"


@pytest.fixture(scope="session")
def shared_rig(tmp_path_factory):
    """One installation for all tests that leave it as they found it."""
    rig = Rig(tmp_path_factory.mktemp("rig"))
    try:
        yield rig.start()
    finally:
        rig.finish()


@pytest.fixture
def rig(shared_rig):
    yield shared_rig
    shared_rig.check_output()


@pytest.fixture
def prepared_rig(tmp_path):
    """Made, but not started: bring_up() takes settings of the hub."""
    rig = Rig(tmp_path / "rig").init()
    try:
        yield rig
    finally:
        rig.finish()


@pytest.fixture
def own_rig(tmp_path):
    """An installation of the test's own, for tests that break it."""
    rig = Rig(tmp_path / "rig")
    try:
        yield rig.start()
    finally:
        rig.finish()
