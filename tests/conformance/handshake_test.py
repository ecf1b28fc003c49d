"""RFC 6455 4.2: who is upgraded, and what the others are answered, in which order, against the
running server. Each request is sent whole, byte by byte, and cut at random."""

import pathlib
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server  # noqa: E402
from http_answers import take_answer, take_answers  # noqa: E402
from raw_peer import (PING, PONG, SAMPLE_ACCEPT, SAMPLE_KEY, TEXT, Peer, close,  # noqa: E402
                      closed, echoed, frame, upgrade_request)
from row import at_random, byte_by_byte, whole  # noqa: E402

UPGRADE = {"Upgrade": "websocket"}
VERSION = {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}

# Refused: (what is wrong, changes to a good request, status, fields of the answer). In the order of
# the rules: what breaks two is answered by the first.
REFUSED = [
    ("POST", dict(method="POST"), 405, {"Allow": "GET"}),
    ("HEAD", dict(method="HEAD"), 405, {"Allow": "GET"}),
    ("a method in small letters", dict(method="get"), 405, {"Allow": "GET"}),
    ("HTTP/1.0", dict(version="HTTP/1.0"), 426, UPGRADE),
    ("no upgrade token in Connection", dict(connection="keep-alive"), 426, UPGRADE),
    ("half an upgrade token in Connection", dict(connection="upgrades, xupgrade"), 426, UPGRADE),
    ("no Connection", dict(connection=None), 426, UPGRADE),
    ("a body", dict(content_length="5"), 400, {}),
    ("a body in chunks", dict(transfer_encoding="chunked"), 400, {}),
    ("an expectation", dict(expect="100-continue"), 400, {}),
    ("no version", dict(sec_websocket_version=None), 426, VERSION),
    ("version 8", dict(sec_websocket_version="8"), 426, VERSION),
    ("version 12", dict(sec_websocket_version="12"), 426, VERSION),
    ("version 14", dict(sec_websocket_version="14"), 426, VERSION),
    ("version 013", dict(sec_websocket_version="013"), 426, VERSION),
    ("a list of versions", dict(sec_websocket_version="13, 8"), 426, VERSION),
    ("version 13 twice", dict(sec_websocket_version=["13", "13"]), 400, {}),
    ("two versions", dict(sec_websocket_version=["8", "13"]), 400, {}),
    ("the key twice", dict(sec_websocket_key=[SAMPLE_KEY, SAMPLE_KEY]), 400, {}),
    ("no key", dict(sec_websocket_key=None), 400, {}),
    ("an empty key", dict(sec_websocket_key=""), 400, {}),
    ("a key of 15 bytes", dict(sec_websocket_key="dGhlIHNhbXBsZSBub25j"), 400, {}),
    ("a key of 17 bytes", dict(sec_websocket_key="dGhlIHNhbXBsZSBub25jZSE="), 400, {}),
    ("a key without its padding", dict(sec_websocket_key=SAMPLE_KEY[:-2]), 400, {}),
    ("a key with a byte too many", dict(sec_websocket_key=SAMPLE_KEY + "="), 400, {}),
    ("a key that is not base64", dict(sec_websocket_key="dGhlIHNhbXBsZSBub25j!Q=="), 400, {}),
    ("a key in base64url", dict(sec_websocket_key="dGhlIHNhbXBsZSBub2-_ZQ=="), 400, {}),
    ("a key with bits in its padding", dict(sec_websocket_key="dGhlIHNhbXBsZSBub25jZR=="), 400,
     {}),
    ("an empty subprotocol", dict(sec_websocket_protocol=""), 400, {}),
    ("an empty subprotocol in a list", dict(sec_websocket_protocol="chat,,echo"), 400, {}),
    ("a subprotocol twice", dict(sec_websocket_protocol="chat, chat"), 400, {}),
    ("a subprotocol twice, in two lines", dict(sec_websocket_protocol=["chat", "chat"]), 400, {}),
    ("a subprotocol of two words", dict(sec_websocket_protocol="chat echo"), 400, {}),
    ("a subprotocol in quotes", dict(sec_websocket_protocol='"chat"'), 400, {}),
    ("extensions: an open parameter", dict(sec_websocket_extensions="foo;"), 400, {}),
    ("extensions: no value", dict(sec_websocket_extensions="foo; bar="), 400, {}),
    ("extensions: a quoted name", dict(sec_websocket_extensions='"foo"'), 400, {}),
    ("extensions: a value with a blank", dict(sec_websocket_extensions='foo; bar="a b"'), 400, {}),
    ("extensions: two words", dict(sec_websocket_extensions="foo bar"), 400, {}),
    ("extensions: none", dict(sec_websocket_extensions=""), 400, {}),
    ("another origin", dict(origin="http://example.com"), 403, {}),
    ("the origin null", dict(origin="null"), 403, {}),
    ("an empty origin", dict(origin=""), 403, {}),
    ("an origin that is none", dict(origin="127.0.0.1"), 403, {}),
    ("a host that only begins alike", dict(origin="http://127.0.0.1.example.com"), 403, {}),
    ("another port", dict(origin="http://127.0.0.1:1"), 403, {}),
    ("two origins in a line", dict(origin="http://127.0.0.1 http://127.0.0.1"), 403, {}),
    ("two origins", dict(origin=["http://127.0.0.1", "http://127.0.0.1"]), 403, {}),
]

# Upgraded.
ACCEPTED = [
    ("the RFC's sample key", {}),
    ("a list in Connection", dict(connection="keep-alive, Upgrade")),
    ("a list without blanks, in capitals", dict(connection="keep-alive,UPGRADE,foo")),
    ("empty elements in Connection", dict(connection=", ,Upgrade,")),
    ("Connection in two lines", dict(connection=["keep-alive", "upgrade"])),
    ("Upgrade in other letters", dict(upgrade="WebSocket")),
    ("a list in Upgrade", dict(upgrade="h2c, websocket")),
    ("blanks around values", dict(sec_websocket_key=f" \t{SAMPLE_KEY} \t", upgrade="  websocket ")),
    ("a body of 0 bytes", dict(content_length="0")),
    ("subprotocols that nobody knows", dict(sec_websocket_protocol="chat, superchat")),
    ("subprotocols in two lines", dict(sec_websocket_protocol=["chat", "superchat"])),
    ("extensions", dict(sec_websocket_extensions="permessage-deflate; client_max_window_bits")),
    ("extensions with values", dict(sec_websocket_extensions='foo; bar=1; baz="qux", foo')),
    ("the same origin", dict(origin="http://127.0.0.1")),
    ("the same origin with its port", dict(origin="http://127.0.0.1:8080", host="127.0.0.1:8080")),
    ("the same origin's default port", dict(origin="http://127.0.0.1:80")),
    ("the same origin in capitals", dict(origin="HTTP://LOCALHOST", host="localhost")),
    ("a query", dict(path="/echo?room=1")),
    ("the absolute form", dict(path="http://127.0.0.1/echo")),
    ("localhost", dict(host="localhost:9")),
    ("LocalHost", dict(host="LocalHost")),
    ("a name below localhost", dict(host="my.localhost")),
    ("another IP literal", dict(host="192.0.2.7")),
    ("an IPv6 literal", dict(host="[::1]:8080")),
]

FOREIGN_HOSTS = ("example.com", "example.com:8080", "localhost.example.com",
                 "127.0.0.1.example.com", "notlocalhost", "1.2.3.4.5")

NEXT = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


class Handshake(unittest.TestCase):
    def setUp(self):
        self.server = hotline_server.Server()
        self.addCleanup(self.finish)

    def finish(self):
        with self.server:
            self.assertEqual(self.server.stop(), (0, ""))

    def each_way(self, title, data, check, *wanted, **options):
        """Calls check(what comes for these bytes, ...) for each way to cut them."""
        for way, pieces in (("whole", whole(data)), ("byte by byte", byte_by_byte(data)),
                            ("cut at random", at_random(data, title))):
            with self.subTest(title, sent=way), Peer(self.server) as peer:
                check(peer.exchange(pieces), *wanted, **options)

    def check_refusal(self, came, status, fields, to_head=False):
        answer, rest = take_answer(came, to_head)
        self.assertEqual(answer.status, status, answer.body)
        for name, value in fields.items():
            self.assertEqual(answer.field(name), value)
        if "Upgrade" in fields:
            self.assertIn("upgrade", answer.tokens("Connection"))
        self.assertIn("close", answer.tokens("Connection"))
        self.assertTrue(answer.field("Content-Type").startswith("text/plain"))
        self.assertEqual(rest, b"", "what follows a refused upgrade is never parsed")
        return answer

    def check_upgrade(self, came, behind):
        answer, rest = take_answer(came)
        self.assertEqual(answer.status, 101, answer)
        self.assertEqual(answer.field("Sec-WebSocket-Accept"), SAMPLE_ACCEPT)
        self.assertEqual(answer.field("Upgrade"), "websocket")
        self.assertEqual(answer.tokens("Connection"), {"upgrade"})
        for absent in ("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Content-Length",
                       "Transfer-Encoding"):
            self.assertIsNone(answer.field(absent))
        self.assertEqual(rest, behind)

    def test_a_good_request_is_upgraded(self):
        for title, changes in ACCEPTED:
            # What is sent right behind the request is the first of the session.
            data = upgrade_request(**changes) + frame(PING, b"?") + close(1000)
            self.each_way(title, data, self.check_upgrade, echoed(PONG, b"?") + closed(1000))

    def test_accept_is_made_from_the_key(self):
        # Each by: printf %s KEY258EAFA5-E914-47DA-95CA-C5AB0DC85B11 | openssl sha1 -binary | base64
        for key, accept in (("AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="),
                            ("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk=")):
            with self.subTest(key=key), Peer(self.server) as peer:
                peer.send(upgrade_request(sec_websocket_key=key))
                answer, _ = take_answer(peer.until(b"\r\n\r\n"))
                self.assertEqual(answer.field("Sec-WebSocket-Accept"), accept)

    def test_a_refusal_says_why_and_ends_the_connection(self):
        for title, changes, status, fields in REFUSED:
            self.each_way(title, upgrade_request(**changes) + NEXT, self.check_refusal, status,
                          fields, to_head=changes.get("method") == "HEAD")

    def test_the_first_rule_that_is_broken_gives_the_answer(self):
        for i, (first, changes, status, fields) in enumerate(REFUSED):
            for second, more, _, _ in REFUSED[i + 1:]:
                if changes.keys() & more.keys():
                    continue  # one field cannot be wrong in both ways
                if "version" in changes and "transfer_encoding" in more:
                    continue  # no request at all: HTTP/1.0 has no Transfer-Encoding
                with self.subTest(first=first, second=second), Peer(self.server) as peer:
                    came = peer.exchange([upgrade_request(**changes, **more) + NEXT])
                    self.check_refusal(came, status, fields,
                                       to_head=changes.get("method") == "HEAD")

    def test_what_did_not_ask_for_a_websocket_may_ask_again(self):
        for title, changes in (("a browser", dict(connection="keep-alive", upgrade=None)),
                               ("another protocol", dict(upgrade="h2c")),
                               ("half a token", dict(upgrade="websockets, xwebsocket")),
                               ("a version of it", dict(upgrade="websocket/13"))):
            self.each_way(title, upgrade_request(**changes) + NEXT, self.check_two_answers)

    def check_two_answers(self, came):
        first, second = take_answers(came)
        self.assertEqual((first.status, second.status), (426, 200))
        self.assertEqual(first.field("Upgrade"), "websocket")
        self.assertEqual(first.tokens("Connection"), {"upgrade"})
        self.assertEqual(second.body, b"ok\n")

    def test_a_page_elsewhere_is_told_which_origin_is_not_allowed_where(self):
        for origin, shown in (("http://example.com", b"example.com"),
                              ("http://<script>alert(1)</script>", b"script"),
                              ("http://\xe4\xff", b"http://"), ("null", b"null")):
            with self.subTest(origin=origin), Peer(self.server) as peer:
                came = peer.exchange([upgrade_request(origin=origin, host="localhost:1234")])
                answer = self.check_refusal(came, 403, {"X-Content-Type-Options": "nosniff"})
                self.assertIn(b"localhost:1234", answer.body)
                self.assertIn(shown, answer.body)
                self.assertTrue(answer.body.decode("ascii").rstrip("\n").isprintable(), answer.body)

    def test_a_name_that_is_not_its_own_is_misdirected(self):
        for host in FOREIGN_HOSTS:
            self.each_way(host, upgrade_request(host=host) + NEXT, self.check_refusal, 421, {})
            with self.subTest(host=host, request="plain"), Peer(self.server) as peer:
                plain = f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
                self.check_refusal(peer.exchange([plain + NEXT]), 421, {})

    def test_frames_behind_a_refused_request_are_not_requests(self):
        smuggled = frame(TEXT, NEXT, mask=b"\0\0\0\0")
        with Peer(self.server) as peer:
            came = peer.exchange([upgrade_request(sec_websocket_version="8") + smuggled])
            self.check_refusal(came, 426, VERSION)

    def test_other_paths_do_not_upgrade(self):
        for path, status in (("/", 200), ("/healthz", 200), ("/nowhere", 404), ("/echo/", 404)):
            with self.subTest(path=path), Peer(self.server) as peer:
                peer.send(upgrade_request(path=path))
                head = peer.until(b"\r\n\r\n")
                self.assertEqual(head.split()[1], str(status).encode())


class Draining(unittest.TestCase):
    def test_a_request_that_comes_too_late_is_told_when_to_retry(self):
        with hotline_server.Server() as server, Peer(server) as early, Peer(server) as late:
            early.upgrade()
            request = upgrade_request()
            late.send(request[:30])
            # The head has arrived, since the one that was sent afterwards is answered.
            early.send(frame(PING))
            self.assertEqual(early.frame(), (PONG, b""))
            server.signal(signal.SIGTERM)
            self.assertEqual(early.close_code(), 1001)
            late.send(request[30:])
            answer, rest = take_answer(late.rest())
            self.assertEqual(answer.status, 503)
            self.assertTrue(int(answer.field("Retry-After")) > 0)
            self.assertIn("close", answer.tokens("Connection"))
            self.assertEqual(rest, b"")
            early.send(close(1001))
            self.assertEqual(early.rest(), b"")
            self.assertEqual(server.stop(), (0, ""))


if __name__ == "__main__":
    hotline_server.main()
