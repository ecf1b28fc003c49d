"""The client of node's ws, Debian's or npm's: the conversations of ws_client.js."""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server  # noqa: E402
from conversations import Conversations  # noqa: E402
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


class NodeWs(Conversations, unittest.TestCase):
    environment = ENVIRONMENT

    def setUp(self):
        self.client = (require_ws(), CLIENT)


class NodeWsOverTls(OverTls, NodeWs):
    pass


if __name__ == "__main__":
    hotline_server.main()
