"""The client of gorilla/websocket: the conversations of gorilla/client.go."""

import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server  # noqa: E402
from conversations import Conversations  # noqa: E402
from over_tls import OverTls  # noqa: E402


class Gorilla(Conversations, unittest.TestCase):
    client = (os.environ["GORILLA"], "talk")


class GorillaOverTls(OverTls, Gorilla):
    pass


if __name__ == "__main__":
    hotline_server.main()
