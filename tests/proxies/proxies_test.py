"""`hotline serve` behind nginx, HAProxy and Caddy as docs/behind-a-proxy.md sets them up."""

import pathlib
import re
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server
import proxies
from http_answers import take_answer
from raw_peer import BINARY, TEXT, close, closed, frame, upgrade_request

MEBIBYTE = 1 << 20


class BehindAProxy:
    """What holds behind each of them."""

    kind = None

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        directory = pathlib.Path(cls.directory.name)
        proxies.make_certificate(directory)
        cls.server = cls.enterClassContext(hotline_server.Server("--message-limit", "4M"))
        cls.proxy = cls.enterClassContext(cls.kind(directory, cls.server.port))

    def call(self, **changes):
        peer = self.proxy.peer()
        self.addCleanup(peer.socket.close)
        return peer.upgrade(host=self.proxy.authority, **changes)

    def answer(self, request):
        with self.proxy.peer() as peer:
            peer.send(request)
            head = peer.until(b"\r\n\r\n")
            size = int(re.search(rb"(?i)\ncontent-length: (\d+)\r", head)[1])
            return take_answer(head + peer.exactly(size))[0]

    def test_requests_are_answered_and_the_connection_is_kept(self):
        with self.proxy.peer() as peer:
            for _ in range(3):
                peer.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertIn(b" 200 ", peer.until(b"\r\n\r\n"))
                self.assertEqual(peer.exactly(3), b"ok\n")

    def test_text_and_a_mebibyte_are_echoed(self):
        peer = self.call()
        peer.send(frame(TEXT, "Grüße".encode()))
        self.assertEqual(peer.frame(), (TEXT, "Grüße".encode()))
        large = bytes(range(256)) * (MEBIBYTE // 256)
        peer.send(frame(BINARY, large))
        self.assertEqual(peer.frame(), (BINARY, large))
        peer.send(close(3001, b"bye"))
        self.assertEqual(peer.rest(), closed(3001))

    def test_pages_of_the_same_host_may_connect(self):
        self.call(Origin=f"https://{self.proxy.authority}")

    def test_pages_from_elsewhere_may_not(self):
        for origin in ("https://elsewhere.org", "https://localhost"):  # that one has another port
            answer = self.answer(upgrade_request(host=self.proxy.authority, Origin=origin))
            self.assertEqual(answer.status, 403)
            self.assertIn(origin.encode(), answer.body)


class BehindNginx(BehindAProxy, unittest.TestCase):
    kind = proxies.Nginx


class BehindHaproxy(BehindAProxy, unittest.TestCase):
    kind = proxies.Haproxy


class BehindCaddy(BehindAProxy, unittest.TestCase):
    kind = proxies.Caddy


if __name__ == "__main__":
    if lacking := proxies.missing():
        sys.exit(f"not installed: {', '.join(lacking)}. scripts/install-packages test does that.")
    hotline_server.main()
