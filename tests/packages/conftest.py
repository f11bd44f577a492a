"""The packages of scripts/test-packages in a machine of their own.

The tests follow each other: install, use, upgrade, remove.
"""
import os
import pathlib
import subprocess

import pytest

from .machine import Machine

PACKAGES = pathlib.Path(os.environ["DS_PACKAGES"])
OLD, NEW = os.environ["DS_OLD_VERSION"], os.environ["DS_NEW_VERSION"]


@pytest.fixture(scope="session")
def packages():
    return PACKAGES


class Repository:
    """What the machine's apt knows: nothing but the packages that were put here."""

    def __init__(self, machine):
        self._folder = machine.root / "srv" / "packages"
        self._folder.mkdir(parents=True)
        (machine.root / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/srv/packages ./\n")
        self._write_index()

    def add(self, package):
        subprocess.run(["cp", *PACKAGES.glob(f"{package}_{NEW}_*.deb"), self._folder], check=True)
        self._write_index()

    def _write_index(self):
        with open(self._folder / "Packages", "w") as index:
            subprocess.run(
                ["dpkg-scanpackages", "--multiversion", "."],
                cwd=self._folder,
                stdout=index,
                stderr=subprocess.DEVNULL,
                check=True,
            )


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    machine = Machine((PACKAGES / "root").resolve(), tmp_path_factory.mktemp("machine") / "root")
    try:
        # One machine in all three roles.
        for package in PACKAGES.glob(f"*_{OLD}_*.deb"):
            subprocess.run(["cp", package, machine.home], check=True)
        machine.run("echo 127.0.0.1 localhost hub.example.com >>/etc/hosts")
        machine.run(
            "mkdir -p .ssh && ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519 && cp .ssh/id_ed25519.pub "
            ".ssh/authorized_keys && echo StrictHostKeyChecking accept-new >.ssh/config"
        )
        machine.clean_files = machine.files()
        yield machine
    finally:
        machine.stop()


@pytest.fixture(scope="session")
def repository(machine):
    return Repository(machine)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure is told with what the machine's services said."""
    report = (yield).get_result()
    machine = item.funcargs.get("machine")
    if report.failed and machine:
        report.sections.append(("the machine's journal", machine.journal(100)))
