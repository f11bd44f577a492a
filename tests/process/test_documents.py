"""Documents that cannot drift: their YAML is read by the programs, their commands exist, and the README is followed to
the letter."""
import os
import re
import shutil
import socket
import subprocess

import pytest
from tests.harness.documents import DOCUMENTS, blocks, commands, without_redirections
from tests.harness.programs import BIN, ROOT, Program, free_port, is_listening, run, wait_until
from tests.harness.sshd import PrivateSshd

pytestmark = pytest.mark.release_only  # options and command lines have unit tests with sanitizers

PROGRAMS = ("stream-hub", "device-proxy", "service-proxy")
# What else our documents may tell people to type: from Debian, or from the shell.
OTHERS = {
    "apt",
    "apt-get",
    "certbot",
    "cd",
    "cmake",
    "cp",
    "curl",
    "dpkg",
    "git",
    "install",
    "journalctl",
    "kill",
    "mkdir",
    "mv",
    "openssl",
    "scp",
    "sftp",
    "ssh",
    "sudo",
    "systemctl",
    "systemd-creds",
    "tar",
    "xfreerdp",
    "mstsc",
    "netsh",
    "mosquitto_pub",
    "mosquitto_sub",
    "npm",
    "node",
    "useradd",
}
# Programs of the packages that are scripts.
PACKAGED = {"stream-hub-setup": ROOT / "packaging/stream-hub-setup"}
BINARY = re.compile(r"^build/[a-z]+/bin/([\w-]+)$")

# A part of a configuration becomes a whole one with these.
WHOLE = {
    "stream-hub": {
        "name": "hub1",
        "public_url": "https://hub1.example.com",
        "certificate": "hub.pem",
        "key": "hub.key",
        "state_directory": "state",
    },
    "device-proxy": {"hub": {"connection_string_file": "device.cs"}, "services": {"ssh": "localhost:22"}},
    "service-proxy": {
        "hub": {"connection_string_file": "service.cs"},
        "forwards": [{"listen": "127.0.0.1:2222", "device": "pump-17"}],
    },
}


def keys_of(program):
    """The keys of the top level, from the commented file."""
    text = (ROOT / "configs" / f"{program}.yaml").read_text()
    return set(re.findall(r"^#?([a-z_]+):", text, re.MULTILINE))


def program_of(text):
    """The program whose configuration a block is: the one that knows all its keys."""
    keys = set(re.findall(r"^([a-z_]+):", text, re.MULTILINE))
    named = [name for name in PROGRAMS if f"{name}.yaml" in text or f"{name.removesuffix('-proxy')}.cs" in text]
    if named:
        return named[0]
    fitting = [name for name in PROGRAMS if keys <= keys_of(name)]
    assert fitting, f"no program knows all of {sorted(keys)}"
    return next((name for name in fitting if keys & own_keys(name)), fitting[0])


def own_keys(program):
    return keys_of(program) - set().union(*(keys_of(name) for name in PROGRAMS if name != program))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with every file that a configuration may name."""
    folder = tmp_path_factory.mktemp("documents")
    run([BIN / "stream-hub", "init", folder / "hub", "--host", "hub1.example.com"])
    for source, names in {
        "service.cs": ["service.cs"],
        "hub-ca.pem": ["hub-ca.pem", "device-ca.pem"],
        "hub.pem": ["hub.pem", "device.pem"],
        "hub.key": ["hub.key", "device.key"],
    }.items():
        for name in names:
            shutil.copy(folder / "hub" / source, folder / name)
    for name in ("device", "pump-17"):
        (folder / f"{name}.cs").write_text(f"HostName=hub1.example.com;DeviceId={name};SharedAccessKey=" + "QUFB" * 8)
        os.chmod(folder / f"{name}.cs", 0o600)
    for name in re.findall(r"[\w.-]+_file: *([\w.-]+)", "\n".join(block.text for block in blocks("yaml"))):
        if not (folder / name).exists():
            (folder / name).write_text("user:word\n")
            os.chmod(folder / name, 0o600)
    return folder


def completed(program, text):
    """The text of a block, and what it leaves out of a whole configuration."""
    present = set(re.findall(r"^([a-z_]+):", text, re.MULTILINE))
    for key, value in WHOLE[program].items():
        if key not in present:
            text += f"{key}: {value}\n"
        elif key == "hub" and "connection_string" not in text:
            text = re.sub(
                r"^hub:\n",
                f"hub:\n  connection_string_file: {value['connection_string_file']}\n",
                text,
                flags=re.MULTILINE,
            )
    return text


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_yaml_is_accepted_by_its_program(files, block):
    program = program_of(block.text)
    config = files / f"{program}.yaml"
    text = completed(program, block.text)
    if "device.pem" in text or "x509" in text:  # a certificate asks for a connection string without a key
        (files / "pump-17.cs").write_text("HostName=hub1.example.com;DeviceId=pump-17;x509=true")
    config.write_text(text)
    done = run([BIN / program, "--config", config, "--check-config"], check=False)
    assert done.returncode == 0, done.stderr + "\n" + text


def help_of(program, words):
    """The help of the subcommand that `words` begin with, and the words behind it."""
    path = []
    while len(path) < len(words):
        listed = run([BIN / program, *path, "--help"]).stdout.partition("Subcommands:")[2]
        if not re.search(rf"^  {re.escape(words[len(path)])} ", listed, re.MULTILINE):
            break
        path.append(words[len(path)])
    return run([BIN / program, *path, "--help"]).stdout + run([BIN / program, "--help"]).stdout, words[len(path) :]


def assert_known(program, words):
    text, rest = help_of(program, words)
    for flag in (word.partition("=")[0] for word in rest if word.startswith("-") and word != "-"):
        assert re.search(rf"(^|[\s,]){re.escape(flag)}[\s,]", text, re.MULTILINE), f"{program} has no {flag}:\n{text}"
    if "Subcommands:" in text and program == "stream-hub" and rest and not rest[0].startswith("-"):
        first_help = run([BIN / program, *words[: len(words) - len(rest)], "--help"]).stdout
        assert "Subcommands:" not in first_help, f"stream-hub has no command {' '.join(words)}"


def assert_script_knows(script, words):
    modules = [*ROOT.glob("tests/**/__main__.py"), *ROOT.glob("bench/*.py")]
    text = "".join(path.read_text() for path in (ROOT / script, *modules))
    for flag in (word.partition("=")[0] for word in words if word.startswith("--")):
        assert flag in text, f"{script} knows no {flag}"


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_commands_exist(block):
    for words in commands(block):
        words = without_redirections([word for word in words if word != "sudo"])
        program = BINARY.sub(r"\1", words[0])
        if program in PROGRAMS:
            assert_known(program, words[1:])
        elif program.startswith("scripts/"):
            assert os.access(ROOT / program, os.X_OK), f"{program} is not there"
            assert_script_knows(program, words[1:])
        elif program in PACKAGED:
            assert os.access(PACKAGED[program], os.X_OK), f"{program} is not there"
        else:
            known = program in OTHERS or program == ".ci/run" or BINARY.match(words[0]) or program == "/usr/bin/python3"
            assert known, f"{words[0]}: neither ours nor a program that the documents may use"


def test_the_reference_is_what_the_programs_say():
    done = run(["scripts/docs", "--check", BIN], check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_the_pictures_are_what_their_sources_say():
    done = run(["scripts/draw-pictures", "--check"], check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_the_architecture_describes_every_room():
    text = (ROOT / "docs/architecture.md").read_text()
    rooms = re.findall(r"^ds_library\(([^\s)]+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)
    assert rooms and [room for room in rooms if f"`{room}`" not in text] == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_manual_pages_have_every_option_command_and_error(program):
    page = run([ROOT / "packaging/man/make-man-page", program, "1"], cwd=ROOT).stdout.replace("\\-", "-")
    terms = set(re.findall(r"^\.B (.*)$", page, re.MULTILINE))
    words = {word.rstrip(",") for term in terms for word in term.split()}
    keys = set(re.findall(r"^\| `(.*?)`", run([BIN / program, "--print-config-reference"]).stdout, re.MULTILINE))
    flags = set(re.findall(r"^  (?:-\w,)?(--[\w-]+)", run([BIN / program, "--help"]).stdout, re.MULTILINE))
    codes = set(
        re.findall(r"^\| `(DS-\d+)`", run([BIN / "stream-hub", "--print-error-reference"]).stdout, re.MULTILINE)
    )
    assert keys and codes and keys | codes <= terms, (keys | codes) - terms
    assert flags <= words | {"--state-directory"}, flags - words
    if program == "stream-hub":
        assert "device add" in page and "policy explain" in page


@pytest.mark.parametrize("program", ["device-proxy", "service-proxy"])
def test_the_configuration_of_a_package_is_accepted(files, program):
    shutil.copy(ROOT / "packaging/etc" / f"{program}.yaml", files / "packaged.yaml")
    done = run(
        [BIN / program, "--config", files / "packaged.yaml", "--check-config"],
        check=False,
        env={**os.environ, "CREDENTIALS_DIRECTORY": str(files)},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere_and_codes_exist(path):
    text = path.read_text()
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        assert target.startswith("https://") or (path.parent / target).exists(), f"{path.name} links to {target}"
    known = run([BIN / "stream-hub", "--print-error-reference"]).stdout
    for code in set(re.findall(r"\bDS-\d+\b", text)):
        assert f"`{code}`" in known, f"{path.name} names {code}, which no program has"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_named_files_are_there(path):
    top = {entry.name for entry in ROOT.iterdir()} - {"build"}
    for name in re.findall(r"`([\w.-]+(?:/[\w.*-]+)+)`", path.read_text()):
        assert name.split("/")[0] not in top or list(ROOT.glob(name)), f"{path.name} names {name}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_document_is_named_in_the_readme(path):
    assert path.name == "README.md" or f"]({path.relative_to(ROOT)})" in (ROOT / "README.md").read_text()


def test_the_version_is_that_of_the_build():
    version = re.search(r"^project\(\w+ VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)[1]
    packaged = re.match(r"device-streams \(([\d.]+)[-~+)]", (ROOT / "packaging/debian/changelog").read_text())[1]
    assert packaged == version
    for program in PROGRAMS:
        assert run([BIN / program, "--version"]).stdout == f"{program} {version}\n"
    told = {
        match for path in DOCUMENTS for match in re.findall(rf"(?:{'|'.join(PROGRAMS)})/([\d.]+)", path.read_text())
    }
    assert told <= {version}, "documents show another version"


class Readme:
    """The commands and files of `On real machines`, with this machine in all three roles and free ports."""

    def __init__(self, folder):
        self.folder = folder
        self.port, self.local_port = free_port(), free_port()
        self.sshd = PrivateSshd(folder / "sshd")
        text = (ROOT / "README.md").read_text()
        section = text[text.index("## On real machines") : text.index("## Good to know")]
        self.blocks = re.findall(r"^```(\w*)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
        self.programs = []

    def here(self, text):
        for name, value in {
            "/etc/stream-hub": str(self.folder / "hub"),
            "hub.example.com": "localhost",
            "localhost:22\n": f"127.0.0.1:{self.sshd.port}\n",
            "127.0.0.1:2222": f"127.0.0.1:{self.local_port}",
        }.items():
            text = text.replace(name, value)
        return text

    def block(self, language, having):
        found = [text for kind, text in self.blocks if kind == language and having in text]
        assert len(found) == 1, f"{len(found)} blocks of {language} with {having}"
        return self.here(found[0])

    def start(self, name, *arguments):
        program = Program(name, [BIN / name, *arguments], self.folder)
        program.start()
        self.programs.append(program)
        return program

    def stop(self):
        for program in reversed(self.programs):
            program.stop()
        self.sshd.program.stop()


@pytest.fixture
def readme(tmp_path):
    readme = Readme(tmp_path)
    readme.sshd.start()
    yield readme
    readme.stop()


def test_the_readme_leads_to_ssh(readme):
    hub = readme.block("sh", "stream-hub init")
    folder = readme.folder
    found = str(folder / "hub" / "stream-hub.yaml")  # as the one in /etc/stream-hub, which the README makes
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "STREAM_HUB_CONFIG": found}
    words = {"cwd": folder, "env": environment}
    lines = hub.splitlines()
    init = next(line for line in lines if " init " in line) + f" --port {readme.port}"
    subprocess.run(["sh", "-ec", init], check=True, capture_output=True, **words)
    listen = folder / "hub" / "stream-hub.yaml"
    listen.write_text(
        re.sub(r"^listen:.*$", f"listen: 127.0.0.1:{readme.port}", listen.read_text(), flags=re.MULTILINE)
    )
    start = next(line for line in lines if line.endswith("&"))
    readme.start("stream-hub", *start.removesuffix("&").split()[1:])
    wait_until(lambda: is_listening(readme.port), "the hub to listen")
    for line in lines:
        if line not in (start,) and " init " not in line:
            subprocess.run(["sh", "-ec", line], check=True, capture_output=True, **words)

    shutil.copy(folder / "hub" / "hub-ca.pem", folder)
    shutil.copy(folder / "hub" / "service.cs", folder)
    for name, having in (("device-proxy", "services:"), ("service-proxy", "forwards:")):
        text = readme.block("yaml", having).replace("hub:\n", f"hub:\n  port: {readme.port}\n")
        (folder / f"{name}.yaml").write_text(text)
        readme.start(name, "--config", folder / f"{name}.yaml")
    readme.programs[1].wait_for("linked")
    wait_until(lambda: is_listening(readme.local_port), "service-proxy to listen")
    with socket.create_connection(("127.0.0.1", readme.local_port), 30) as client:
        assert client.recv(4) == b"SSH-"
    assert run(readme.sshd.ssh(readme.local_port, "echo it works")).stdout == "it works\n"
