"""Our Dialer, in caller.cc, and the servers of gorilla/websocket, node's ws and python3-websockets.

    dialer_test.py PROGRAM [TEST...]

The program is that of caller.cc; the environment's GORILLA that of gorilla/.
"""

import os
import pathlib
import select
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import certificates  # noqa: E402
import hotline_server  # noqa: E402
from node_ws_test import ENVIRONMENT, require_ws  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent


class Server:
    """Somebody else's. It ends with its standard input."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], hotline_server.PATIENCE)
        self.url = self.process.stdout.readline().strip() if ready else ""
        if not self.url.startswith("ws"):
            self.process.kill()
            raise AssertionError(f"{command} did not start: {self.process.communicate()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.process.communicate("", timeout=hotline_server.PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()


class Conversations:
    """What holds with each of them."""

    secure = False

    @classmethod
    def setUpClass(cls):
        files = []
        cls.ca = []
        if cls.secure:
            directory = tempfile.TemporaryDirectory()
            cls.addClassCleanup(directory.cleanup)
            certificate = certificates.make_certificate(pathlib.Path(directory.name))
            files = [str(certificate.chain), str(certificate.key)]
            cls.ca = [str(certificate.chain)]
        cls.server = cls.enterClassContext(Server([*cls.command(), *files]))

    def converse(self, conversation):
        done = subprocess.run([hotline_server.program(), self.server.url, conversation, *self.ca],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=4 * hotline_server.PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_text_and_binary_of_all_sizes(self):
        self.converse("sizes")

    def test_fragments(self):
        self.converse("pieces")

    def test_pings(self):
        self.converse("pings")

    def test_pings_of_the_server(self):
        self.converse("pinged")

    def test_close_codes(self):
        self.converse("closes")

    def test_close_codes_of_the_server(self):
        self.converse("closed")

    def test_a_greeting_behind_the_handshake(self):
        self.converse("greeted")

    def test_a_subprotocol(self):
        self.converse("subprotocol")

    def test_twenty_at_once(self):
        self.converse("together")

    def test_many_messages_under_way(self):
        self.converse("many")

    def test_a_path_that_is_not_there(self):
        self.converse("refused")


class Gorilla(Conversations, unittest.TestCase):
    @staticmethod
    def command():
        return [os.environ["GORILLA"], "serve"]


class NodeWs(Conversations, unittest.TestCase):
    @staticmethod
    def command():
        return [require_ws(), str(HERE / "ws_server.js")]


class PythonWebsockets(Conversations, unittest.TestCase):
    @staticmethod
    def command():
        return [sys.executable, str(HERE / "websockets_server.py")]


class GorillaOverTls(Gorilla):
    secure = True


class NodeWsOverTls(NodeWs):
    secure = True


class PythonWebsocketsOverTls(PythonWebsockets):
    secure = True


if __name__ == "__main__":
    hotline_server.main()
