"""nginx, HAProxy and Caddy with the configurations of docs/proxies, on loopback and on free ports.

What a test changes of a configuration are addresses, files and times; each must stand in it.
"""

import os
import pathlib
import shutil
import ssl

from other_program import OtherProgram
from raw_peer import Peer

CONFIGURATIONS = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "proxies"


class Proxy(OtherProgram):
    """A proxy before a server."""

    def __init__(self, directory, server_port, changes=()):
        """`changes`: pairs of a text of the configuration and what stands there in the test."""
        self.server_port = server_port
        self.changes = changes
        super().__init__(directory)

    def command(self):
        text = (CONFIGURATIONS / self.configuration).read_text()
        for old, new in [*self.own_changes(self.server_port), *self.changes]:
            if old not in text:
                raise AssertionError(f"{self.configuration} does not say {old!r}")
            text = text.replace(old, new)
        path = self.directory / self.configuration
        path.write_text(text)
        return self.command_for(path)

    def environment(self):
        # Caddy keeps things at home; the others need nothing of it.
        home = str(self.directory)
        return {"PATH": super().environment()["PATH"], "HOME": home, "XDG_DATA_HOME": home,
                "XDG_CONFIG_HOME": home}

    def peer(self, source="127.0.0.1"):
        """A client's connection to it, through TLS."""
        peer = Peer(self, source=source)
        context = ssl.create_default_context(cafile=self.directory / "localhost.crt")
        try:
            peer.socket = context.wrap_socket(peer.socket, server_hostname="localhost")
        except BaseException:
            peer.socket.close()
            raise
        return peer

    @property
    def authority(self):
        return f"localhost:{self.port}"


class Nginx(Proxy):
    configuration = "nginx.conf"

    def own_changes(self, server_port):
        return [("127.0.0.1:8080", f"127.0.0.1:{server_port}"),
                ("listen 443", f"listen 127.0.0.1:{self.port}"),
                ("server_name example.org", "server_name localhost"),
                ("/etc/ssl/example.org", str(self.directory / "localhost"))]

    def command_for(self, path):
        places = "".join(f"{what}_temp_path {self.directory};" for what in
                         ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        whole = self.directory / "whole.conf"
        user = "user root; " if os.geteuid() == 0 else ""
        whole.write_text(f"daemon off; {user}pid {self.directory}/nginx.pid; error_log stderr;\n"
                         f"events {{}}\nhttp {{ access_log off; {places} include {path}; }}\n")
        return ["nginx", "-e", "stderr", "-p", str(self.directory), "-c", str(whole)]


class Haproxy(Proxy):
    configuration = "haproxy.cfg"

    def own_changes(self, server_port):
        return [("127.0.0.1:8080", f"127.0.0.1:{server_port}"),
                ("bind :443", f"bind 127.0.0.1:{self.port}"),
                ("/etc/ssl/example.org", str(self.directory / "localhost"))]

    def command_for(self, path):
        return ["haproxy", "-db", "-f", str(path)]


class HaproxyTcp(Haproxy):
    configuration = "haproxy-tcp.cfg"


class Caddy(Proxy):
    configuration = "Caddyfile"

    def own_changes(self, server_port):
        of_tests = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
        certificate = self.directory / "localhost"
        return [("127.0.0.1:8080", f"127.0.0.1:{server_port}"),
                ("example.org {", f"{of_tests}https://localhost:{self.port} {{\n\tbind 127.0.0.1\n"
                                  f"\ttls {certificate}.crt {certificate}.key")]

    def command_for(self, path):
        return ["caddy", "run", "--adapter", "caddyfile", "--config", str(path)]


def missing():
    """What is not installed of what these tests need."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    return [name for name in ("nginx", "haproxy", "caddy", "openssl")
            if not shutil.which(name, path=path)]
