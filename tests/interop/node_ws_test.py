"""The client of node's ws, Debian's or npm's: the conversations of ws_client.js."""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server  # noqa: E402
from over_tls import OverTls  # noqa: E402

CLIENT = pathlib.Path(__file__).resolve().parent / "ws_client.js"
# Where Debian's packages install modules, and where npm install --global does.
PLACES = ["/usr/share/nodejs", "/usr/lib/nodejs", "/usr/lib/node_modules",
          "/usr/local/lib/node_modules"]
ENVIRONMENT = {**os.environ,
               "NODE_PATH": ":".join([*filter(None, [os.environ.get("NODE_PATH")]), *PLACES])}


def require_ws():
    node = shutil.which("node") or shutil.which("nodejs")
    if not node:
        raise AssertionError("there is no node: install nodejs")
    found = subprocess.run([node, "-e", "require('ws')"], env=ENVIRONMENT, capture_output=True)
    if found.returncode != 0:
        raise AssertionError("node has no module ws: install node-ws, or npm's ws globally")
    return node


class NodeWs(unittest.TestCase):
    ca = ()
    served = ()

    def setUp(self):
        self.node = require_ws()

    def talk(self, conversation, *arguments, at_a_line=None):
        with hotline_server.Server(*arguments, *self.served, threads=2) as server:
            client = subprocess.Popen([self.node, CLIENT, server.url, conversation, *self.ca],
                                      env=ENVIRONMENT, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
            try:
                if at_a_line:
                    self.assertEqual(client.stdout.readline(), "connected\n")
                    at_a_line(server)
                _, errors = client.communicate(timeout=hotline_server.PATIENCE)
            finally:
                client.kill()
                client.communicate()
            self.assertEqual((client.returncode, errors), (0, ""))
            self.assertEqual(server.stop(), (0, ""))

    def test_text_and_binary_of_all_sizes(self):
        self.talk("sizes", "--message-limit", "64M")

    def test_fragments(self):
        self.talk("fragments", "--message-limit", "64M")

    def test_pings(self):
        self.talk("pings")

    def test_no_subprotocol_and_no_extension(self):
        self.talk("subprotocols")

    def test_close_codes(self):
        self.talk("closes")

    def test_messages_beyond_the_limit_are_1009(self):
        self.talk("limit", "--message-limit", "1k")

    def test_a_drain_is_1001_to_each(self):
        self.talk("drain", at_a_line=hotline_server.Server.signal)

    def test_twenty_at_once(self):
        self.talk("together")

    def test_many_messages_under_way(self):
        self.talk("many")

    def test_a_foreign_origin_is_refused(self):
        self.talk("origin")


class NodeWsOverTls(OverTls, NodeWs):
    pass


if __name__ == "__main__":
    hotline_server.main()
