"""A rig whose proxies see an /etc/hosts of the test's."""
from .programs import find_tool
from .rig import Rig


class NamedRig(Rig):
    def __init__(self, directory, host, names):
        """`names`: lines of a hosts file, without localhost."""
        super().__init__(directory, host=host)
        self.hosts = self.directory / "hosts"
        self.hosts.write_text("127.0.0.1 localhost\n" + "".join(line + "\n" for line in names))
        for program in (self.device, self.service):
            program.argv = self.with_names(program.argv)

    def with_names(self, argv):
        """A command line that runs with the hosts file."""
        return [
            find_tool("unshare"),
            "--mount",
            "sh",
            "-c",
            'mount --bind "$0" /etc/hosts && exec "$@"',
            str(self.hosts),
            *map(str, argv),
        ]
