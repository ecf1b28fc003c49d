"""Proxies for clients on loopback and on free ports: tinyproxy, microsocks, stunnel before
tinyproxy, and one of our own that connects every name to the same place."""

import socket
import threading

from hotline_server import PATIENCE
from other_program import OtherProgram


class ForwardProxy(OtherProgram):
    def write(self, name, lines):
        path = self.directory / f"{name}-{self.port}.conf"
        path.write_text("\n".join(lines) + "\n")
        return path


class Tinyproxy(ForwardProxy):
    def __init__(self, directory, user=None, refused=None):
        self.user = user
        self.refused = refused
        super().__init__(directory)

    def command(self):
        lines = [f"Port {self.port}", "Listen 127.0.0.1", "Timeout 60", "MaxClients 50",
                 "LogLevel Connect"]
        if self.user:
            lines.append("BasicAuth {} {}".format(*self.user))
        if self.refused:
            rules = self.directory / f"refused-{self.port}"
            rules.write_text(self.refused + "\n")
            lines.append(f'Filter "{rules}"')
        return ["tinyproxy", "-d", "-c", str(self.write("tinyproxy", lines))]


class Microsocks(ForwardProxy):
    def __init__(self, directory, user=None):
        self.user = user
        super().__init__(directory)

    def command(self):
        who = ["-u", self.user[0], "-P", self.user[1]] if self.user else []
        return ["microsocks", "-i", "127.0.0.1", "-p", str(self.port), *who]


class Stunnel(ForwardProxy):
    """TLS before another proxy."""

    def __init__(self, directory, behind, certificate):
        self.behind = behind
        self.certificate = certificate
        super().__init__(directory)

    def command(self):
        lines = ["foreground = yes", "pid =", "socket = l:TCP_NODELAY=1", "[proxy]",
                 f"accept = 127.0.0.1:{self.port}", f"connect = 127.0.0.1:{self.behind.port}",
                 f"cert = {self.certificate}"]
        return ["stunnel4", str(self.write("stunnel", lines))]


class Everywhere:
    """Answers CONNECT, whatever the name, and connects to one port of this machine."""

    def __init__(self, target):
        self.target = target
        self.asked = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.tunnel, args=(client,), daemon=True).start()

    def tunnel(self, client):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = client.recv(1)
            if not byte:
                return client.close()
            head += byte
        self.asked.append(head.split(b" ")[1].decode())
        server = socket.create_connection(("127.0.0.1", self.target))
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        ways = [threading.Thread(target=self.pass_on, args=way, daemon=True)
                for way in ((client, server), (server, client))]
        for way in ways:
            way.start()
        for way in ways:
            way.join(PATIENCE)
        client.close()
        server.close()

    @staticmethod
    def pass_on(source, target):
        try:
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
