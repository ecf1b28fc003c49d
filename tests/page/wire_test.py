"""What goes over the wire for the page: its headers, and the handshake that an echo tells it of."""

import base64
import hashlib
import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server  # noqa: E402
from http_answers import take_answer  # noqa: E402
from raw_peer import TEXT, Peer, close, closed, echoed, frame, upgrade_request  # noqa: E402

OFFER = "handshake.hotline"


def request(server, *fields, method="GET"):
    """What is answered to a request for the page; the connection ends behind it."""
    lines = [f"{method} / HTTP/1.1", f"Host: {server.authority}", "Connection: close", *fields]
    with Peer(server) as peer:
        peer.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        return peer.rest()


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = hotline_server.Server()
        cls.addClassCleanup(cls.server.__exit__)

    def test_it_is_one_document_whose_policy_allows_just_what_is_in_it(self):
        answer, rest = take_answer(request(self.server))
        self.assertEqual((answer.status, rest), (200, b""))
        self.assertEqual(answer.field("Content-Type"), "text/html; charset=utf-8")
        self.assertEqual(answer.field("X-Content-Type-Options"), "nosniff")
        self.assertEqual(answer.field("Referrer-Policy"), "no-referrer")
        page = answer.body.decode()
        policy = dict((part.split(None, 1) + [""])[:2]
                      for part in answer.field("Content-Security-Policy").split("; "))
        self.assertEqual(policy.pop("default-src"), "'none'")
        for source, tag in (("script-src", "script"), ("style-src", "style")):
            inline = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", page, re.DOTALL)
            self.assertEqual(len(inline), 1)
            digest = base64.b64encode(hashlib.sha256(inline[0].encode()).digest()).decode()
            self.assertEqual(policy.pop(source), f"'sha256-{digest}'")
        self.assertEqual(policy, {
            "connect-src": "ws: wss:", "img-src": "data:", "base-uri": "'none'",
            "form-action": "'none'", "frame-ancestors": "'none'",
            "require-trusted-types-for": "'script'", "trusted-types": "'none'"})
        self.assertNotRegex(page, r"\s(style|on\w+)=", "the policy would not let it work")

    def test_a_copy_that_is_still_good_is_not_sent_again(self):
        answer, _ = take_answer(request(self.server))
        tag = answer.field("ETag")
        self.assertEqual(answer.field("Cache-Control"), "no-cache")
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            with self.subTest(known):
                head = request(self.server, f"If-None-Match: {known}")
                self.assertTrue(head.startswith(b"HTTP/1.1 304 "), head)
                self.assertIn(f"ETag: {tag}\r\n".encode(), head)
                self.assertTrue(head.endswith(b"\r\n\r\n"), "it has no body")
        for other in ('"other"', tag.strip('"')):
            answer, _ = take_answer(request(self.server, f"If-None-Match: {other}"))
            self.assertEqual(answer.status, 200)

    def test_its_head_can_be_had_alone(self):
        whole, _ = take_answer(request(self.server))
        head, rest = take_answer(request(self.server, method="HEAD"), to_head=True)
        self.assertEqual((head.status, rest), (200, b""))
        self.assertEqual(head.field("Content-Length"), str(len(whole.body)))
        self.assertEqual(head.field("ETag"), whole.field("ETag"))


class Handshake(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = hotline_server.Server()
        cls.addClassCleanup(cls.server.__exit__)

    def handshake(self, **changes):
        """(what was sent, what was received up to the empty line), and the peer."""
        peer = Peer(self.server)
        self.addCleanup(peer.socket.close)
        sent = upgrade_request(host=self.server.authority, **changes)
        peer.send(sent)
        return sent, peer.until(b"\r\n\r\n"), peer

    def assert_echoes(self, peer):
        peer.send(frame(TEXT, b"Hello") + close(1000))
        self.assertEqual(peer.rest(), echoed(TEXT, b"Hello") + closed(1000))

    def test_who_offers_the_subprotocol_is_told_both_heads_to_the_byte(self):
        for offer in (OFFER, f"chat, {OFFER}", ["chat", OFFER]):
            with self.subTest(offer):
                sent, received, peer = self.handshake(
                    Sec_WebSocket_Protocol=offer, User_Agent="M\xf6zilla \"5\"\\")
                self.assertIn(f"\r\nSec-WebSocket-Protocol: {OFFER}\r\n".encode(), received)
                opcode, payload = peer.frame()
                self.assertEqual(opcode, TEXT)
                self.assertEqual(json.loads(payload), {"request": sent.decode("latin-1"),
                                                       "response": received.decode("latin-1")})
                self.assert_echoes(peer)

    def test_secrets_of_the_request_are_left_out(self):
        _, _, peer = self.handshake(Sec_WebSocket_Protocol=OFFER, Cookie="id=12345")
        heads = json.loads(peer.frame()[1])
        self.assertIn("\r\nCookie: [8 bytes not shown]\r\n", heads["request"])
        self.assertNotIn("12345", heads["request"])

    def test_nobody_else_notices(self):
        for offer in (None, "chat", "handshake.hotline2", OFFER.upper()):
            with self.subTest(offer):
                _, received, peer = self.handshake(Sec_WebSocket_Protocol=offer)
                self.assertNotIn(b"Sec-WebSocket-Protocol", received)
                self.assert_echoes(peer)

    def test_a_refusal_is_the_same_with_it(self):
        answers = []
        for offer in (None, OFFER):
            _, head, peer = self.handshake(Sec_WebSocket_Protocol=offer,
                                           Origin="http://stranger.example")
            answers.append((re.sub(rb"Date: .*\r\n", b"", head), peer.rest()))
        self.assertTrue(answers[0][0].startswith(b"HTTP/1.1 403 "))
        self.assertEqual(*answers)


if __name__ == "__main__":
    hotline_server.main()
