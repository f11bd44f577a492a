"""A remote desktop server, and a client whose screen can be looked at."""
import contextlib
import os
import select
import subprocess

from .programs import Program, find_tool, free_port, is_listening, run, wait_until


class XrdpServer:
    """xrdp without sessions behind it: what it draws itself is its login screen."""

    def __init__(self, directory):
        self.port = free_port()
        key, certificate = directory / "rdp.key", directory / "rdp.pem"
        run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-keyout",
                key,
                "-out",
                certificate,
                "-days",
                "2",
                "-subj",
                "/CN=far desktop",
            ]
        )
        config = directory / "xrdp.ini"
        look = {
            "title": "Far away",
            "top_window_bg_color": "009cb5",
            "width": 350,
            "height": 430,
            "bg_color": "dedede",
            "logo_x_pos": 55,
            "logo_y_pos": 50,
            "label_x_pos": 30,
            "label_width": 65,
            "input_x_pos": 110,
            "input_width": 210,
            "input_y_pos": 220,
            "btn_ok_x_pos": 142,
            "btn_ok_y_pos": 370,
            "btn_ok_width": 85,
            "btn_ok_height": 30,
            "btn_cancel_x_pos": 237,
            "btn_cancel_y_pos": 370,
            "btn_cancel_width": 85,
            "btn_cancel_height": 30,
        }
        config.write_text(
            "\n".join(
                [
                    "[Globals]",
                    "ini_version=1",
                    "fork=true",
                    f"port=tcp://127.0.0.1:{self.port}",
                    "security_layer=tls",
                    f"certificate={certificate}",
                    f"key_file={key}",
                    "ssl_protocols=TLSv1.2, TLSv1.3",
                    "allow_channels=true",
                    "max_bpp=32",
                    *(f"ls_{key}={value}" for key, value in look.items()),
                    "[Logging]",
                    f"LogFile={directory}/xrdp.log",
                    "LogLevel=INFO",
                    "EnableSyslog=false",
                    "[Xorg]",
                    "name=Xorg",
                    "lib=libxup.so",
                    "username=ask",
                    "password=ask",
                    "ip=127.0.0.1",
                    "port=-1",
                    "",
                ]
            )
        )
        self.program = Program("xrdp", [find_tool("xrdp"), "--nodaemon", "-c", config], directory)

    def start(self):
        self.program.start()
        wait_until(lambda: is_listening(self.port) or not self.program.is_alive(), "xrdp to listen")
        assert self.program.is_alive(), self.program.output()
        return self

    def stop(self):
        self.program.stop()


class Screen:
    """An X server without a monitor."""

    def __init__(self, directory):
        self.directory = directory
        reader, writer = os.pipe()
        with open(directory / "xvfb.log", "ab") as output:
            self.server = subprocess.Popen(
                [find_tool("Xvfb"), "-displayfd", str(writer), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
                pass_fds=[writer],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        os.close(writer)
        with open(reader, "rb") as answer:
            assert select.select([answer], [], [], 60)[0], "Xvfb does not start"
            self.display = ":" + answer.readline().decode().strip()

    @contextlib.contextmanager
    def desktop(self, port):
        """xfreerdp fills the screen with the desktop behind a local port."""
        client = Program(
            "xfreerdp",
            [
                find_tool("xfreerdp"),
                f"/v:127.0.0.1:{port}",
                "/cert:ignore",
                "/sec:tls",
                "/f",
                "/w:800",
                "/h:600",
                "/bpp:24",
                "/u:anna",
                "-grab-keyboard",
                "-decorations",
            ],
            self.directory,
            {"DISPLAY": self.display, "HOME": str(self.directory)},
        )
        client.expected_exit = None
        client.start()
        try:
            yield client
        finally:
            client.stop()

    def shot(self, path):
        run([find_tool("import"), "-display", self.display, "-window", "root", path])
        return path

    def close(self):
        self.server.terminate()
        self.server.wait()


def colours(picture):
    return int(run([find_tool("identify"), "-format", "%k", picture]).stdout)


def differing_pixels(one, other):
    """How many pixels are not nearly the same."""
    done = run([find_tool("compare"), "-metric", "AE", "-fuzz", "5%", one, other, "null:"], check=False)
    return int(float(done.stderr.split()[0]))
