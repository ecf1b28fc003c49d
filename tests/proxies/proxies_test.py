"""Hotline behind nginx, HAProxy and Caddy as docs/behind-a-proxy.md sets them up.

    proxies_test.py PROGRAM EXAMPLE [TEST...]

The program is `hotline`, the example examples/behind_a_proxy.cc.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import certificates
import hotline_server
import proxies
from http_answers import take_answer
from raw_peer import BINARY, PING, PONG, TEXT, close, closed, echoed, frame, upgrade_request

MEBIBYTE = 1 << 20
example = None


class Example:
    """The example, which believes what a proxy on this machine says of the client."""

    def __init__(self, seconds_between_pings=20, *options):
        self.process = subprocess.Popen([example, "0", str(seconds_between_pings), *options],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(re.search(r":(\d+)/", self.process.stdout.readline())[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.communicate(timeout=hotline_server.PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()


class BehindAProxy:
    """What holds behind each of them."""

    kind = None

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        certificates.make_certificate(pathlib.Path(cls.directory.name))
        cls.server = cls.enterClassContext(hotline_server.Server("--message-limit", "4M"))
        cls.proxy = cls.enterClassContext(cls.proxy_of(cls.server))

    @classmethod
    def proxy_of(cls, server, changes=()):
        return cls.kind(pathlib.Path(cls.directory.name), server.port, changes)

    def call(self, proxy=None, **changes):
        proxy = proxy or self.proxy
        peer = proxy.peer()
        self.addCleanup(peer.socket.close)
        return peer.upgrade(host=proxy.authority, **changes)

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

    def test_a_drain_reaches_the_client(self):
        with hotline_server.Server() as server, self.proxy_of(server) as proxy:
            peer = self.call(proxy)
            peer.send(frame(TEXT, b"Hello"))
            self.assertEqual(peer.frame(), (TEXT, b"Hello"))
            server.signal()
            self.assertEqual(peer.close_code(), 1001)
            peer.send(close(1001))
            self.assertEqual(peer.rest(), b"")
            self.assertEqual(server.stop(), (0, ""))

    def test_the_client_is_known(self):
        said = ("Forwarded: for=192.0.2.1;proto=http;host=elsewhere.org\r\n"
                "X-Forwarded-For: 192.0.2.2\r\nX-Forwarded-Proto: http\r\n"
                "X-Forwarded-Host: elsewhere.org\r\n")
        with Example() as server, self.proxy_of(server) as proxy:
            for fields in ("", said):  # what a client says of itself changes nothing
                with proxy.peer(source="127.0.0.9") as peer:
                    peer.send(f"GET /who HTTP/1.1\r\nHost: {proxy.authority}\r\n{fields}\r\n"
                              .encode())
                    peer.until(b"\r\n\r\n")
                    self.assertEqual(peer.until(b"\n").decode(),
                                     f"127.0.0.9 calls https://{proxy.authority}\n")
            self.call(proxy, Origin=f"https://{proxy.authority}")


class ThatCutsSilentConnections:
    """Its patience, in the configuration, is made 2 s."""

    patience = ()

    def test_pings_keep_a_silent_connection(self):
        with Example(1) as server, self.proxy_of(server, self.patience) as proxy:
            peer = self.call(proxy)
            end = time.monotonic() + 4.5
            pings = 0
            while time.monotonic() < end:
                self.assertEqual(peer.frame()[0], PING)
                peer.send(frame(PONG, b""))
                pings += 1
            self.assertGreaterEqual(pings, 3)
            peer.send(frame(TEXT, b"still here"))
            while (came := peer.frame())[0] == PING:
                pass
            self.assertEqual(came, (TEXT, b"still here"))

    def test_without_pings_it_is_cut(self):
        with Example(20) as server, self.proxy_of(server, self.patience) as proxy:
            peer = self.call(proxy)
            began = time.monotonic()
            self.assertEqual(peer.rest(), b"")
            self.assertLess(time.monotonic() - began, 15)


class BehindNginx(BehindAProxy, ThatCutsSilentConnections, unittest.TestCase):
    kind = proxies.Nginx
    patience = (("proxy_read_timeout 60s", "proxy_read_timeout 2s"),)


class BehindHaproxy(BehindAProxy, ThatCutsSilentConnections, unittest.TestCase):
    kind = proxies.Haproxy
    patience = (("timeout tunnel       60s", "timeout tunnel       2s"),)


class BehindHaproxyThatPassesBytes(unittest.TestCase):
    def test_the_client_is_known_and_is_echoed(self):
        with tempfile.TemporaryDirectory() as name:
            certificates.make_certificate(pathlib.Path(name))
            with Example(20, "proxy-protocol") as server, \
                    proxies.HaproxyTcp(pathlib.Path(name), server.port) as proxy:
                with proxy.peer(source="127.0.0.9") as peer:
                    peer.send(f"GET /who HTTP/1.1\r\nHost: {proxy.authority}\r\n\r\n".encode())
                    peer.until(b"\r\n\r\n")
                    self.assertTrue(peer.until(b"\n").startswith(b"127.0.0.9 calls "))
                with proxy.peer() as peer:
                    peer.upgrade(host=proxy.authority, Origin=f"https://{proxy.authority}")
                    peer.send(frame(TEXT, b"Hello") + close(1000))
                    self.assertEqual(peer.rest(), echoed(TEXT, b"Hello") + closed(1000))


class BehindCaddy(BehindAProxy, unittest.TestCase):
    kind = proxies.Caddy


if __name__ == "__main__":
    if lacking := proxies.missing():
        sys.exit(f"not installed: {', '.join(lacking)}. scripts/install-packages test does that.")
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    example = pathlib.Path(sys.argv.pop(2)).resolve()
    hotline_server.main()
