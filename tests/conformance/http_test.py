"""HTTP/1.1 as the running server takes it (RFC 9112): what is refused, what is not, and how a
connection goes on. Each request is sent whole, byte by byte, and cut at random."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server  # noqa: E402
from http_answers import take_answer, take_answers  # noqa: E402
from raw_peer import Peer, descriptors_at_rest, eventually  # noqa: E402
from row import at_random, byte_by_byte, whole  # noqa: E402

HOST = b"Host: 127.0.0.1\r\n"
NEXT = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"


def get(*lines, line=b"GET /healthz HTTP/1.1", host=HOST):
    return line + b"\r\n" + host + b"".join(one + b"\r\n" for one in lines) + b"\r\n"


def post(*lines):
    return get(*lines, line=b"POST /healthz HTTP/1.1")


CHUNKED = b"Transfer-Encoding: chunked"


def line(text):
    return get(line=text)


def host(*values):
    return get(host=b"".join(b"Host: " + value + b"\r\n" for value in values))


# Refused, and nothing behind it is parsed: (what is wrong, bytes, status).
REFUSED = [
    ("a header line that goes on in the next", get(b"X: a", b" b"), 400),
    ("the same with a tab", get(b"X: a", b"\tb"), 400),
    ("a first header line that begins with a blank", get(host=b" " + HOST), 400),
    ("a blank before the colon", get(b"X : a"), 400),
    ("a tab before the colon", get(b"X\t: a"), 400),
    ("no colon", get(b"X"), 400),
    ("no name", get(b": a"), 400),
    ("a name with a slash", get(b"X/Y: a"), 400),
    ("a name beyond ASCII", get(b"X\xe4: a"), 400),
    ("NUL in a name", get(b"X\0: a"), 400),
    ("NUL in a value", get(b"X: \0"), 400),
    ("a control byte in a value", get(b"X: a\x01b"), 400),
    ("DEL in a value", get(b"X: a\x7fb"), 400),
    ("a bare CR in a value", get(b"X: a\rb"), 400),
    ("a bare LF in a value", get(b"X: a\nY: b"), 400),
    ("two CRs", get(b"X: a\r"), 400),
    ("a bare LF behind the request line", b"GET /healthz HTTP/1.1\n" + HOST + b"\r\n", 400),
    ("a bare LF behind a field", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\n\r\n", 400),
    ("a bare LF that ends the head", b"GET /healthz HTTP/1.1\r\n" + HOST + b"\n", 400),
    ("bare LFs only", b"GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n", 400),
    ("a bare CR that ends the head", b"GET /healthz HTTP/1.1\r\n" + HOST + b"\rx", 400),

    ("no Host", get(host=b""), 400),
    ("Host twice", host(b"127.0.0.1", b"127.0.0.1"), 400),
    ("two Hosts", host(b"127.0.0.1", b"localhost"), 400),
    ("an empty Host", host(b""), 400),
    ("a Host of two words", host(b"127.0.0.1 localhost"), 400),
    ("a list of Hosts", host(b"127.0.0.1, localhost"), 400),
    ("a Host with a path", host(b"127.0.0.1/x"), 400),
    ("a Host with a user", host(b"user@127.0.0.1"), 400),
    ("a Host with a query", host(b"127.0.0.1?x"), 400),
    ("a Host with half a bracket", host(b"[::1"), 400),
    ("a Host with a name in brackets", host(b"[localhost]"), 400),
    ("a Host with a port of letters", host(b"127.0.0.1:http"), 400),
    ("a Host with a port of many digits", host(b"127.0.0.1:8080808080"), 400),
    ("a Host beyond ASCII", host(b"h\xc3\xb6tline"), 400),
    ("a Host in wrong percent-encoding", host(b"%zz"), 400),

    ("Content-Length twice, alike", post(b"Content-Length: 4", b"Content-Length: 4") + b"body",
     400),
    ("Content-Length twice", post(b"Content-Length: 4", b"Content-Length: 5") + b"body", 400),
    ("Content-Length: 4, 4", post(b"Content-Length: 4, 4") + b"body", 400),
    ("Content-Length: +4", post(b"Content-Length: +4") + b"body", 400),
    ("Content-Length: -4", post(b"Content-Length: -4") + b"body", 400),
    ("Content-Length: 0x4", post(b"Content-Length: 0x4") + b"body", 400),
    ("Content-Length: 4 4", post(b"Content-Length: 4 4") + b"body", 400),
    ("Content-Length: 4.0", post(b"Content-Length: 4.0") + b"body", 400),
    ("an empty Content-Length", post(b"Content-Length:"), 400),
    ("Content-Length beyond 64 bits", post(b"Content-Length: 18446744073709551620") + b"body", 400),
    ("Transfer-Encoding and Content-Length",
     post(b"Transfer-Encoding: chunked", b"Content-Length: 4") + b"0\r\n\r\n", 400),
    ("Content-Length and Transfer-Encoding",
     post(b"Content-Length: 4", b"Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
    ("Content-Length and an unknown Transfer-Encoding",
     post(b"Content-Length: 4", b"Transfer-Encoding: xchunked") + b"0\r\n\r\n", 400),
    ("Transfer-Encoding: gzip", post(b"Transfer-Encoding: gzip"), 400),
    ("Transfer-Encoding: identity", post(b"Transfer-Encoding: identity"), 400),
    ("Transfer-Encoding: xchunked", post(b"Transfer-Encoding: xchunked"), 400),
    ("chunked, but not last", post(b"Transfer-Encoding: chunked, gzip"), 400),
    ("an encoding of which chunked is the last", post(b"Transfer-Encoding: gzip, chunked"), 501),
    ("chunked in quotes", post(b'Transfer-Encoding: "chunked"'), 400),
    ("chunked behind a vertical tab", post(b"Transfer-Encoding: \x0bchunked"), 400),
    ("Transfer-Encoding twice",
     post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
    ("an empty Transfer-Encoding", post(b"Transfer-Encoding:"), 400),
    ("Transfer-Encoding in HTTP/1.0",
     get(b"Transfer-Encoding: chunked", line=b"POST /healthz HTTP/1.0") + b"0\r\n\r\n", 400),

    ("an expectation nobody has heard of", post(b"Expect: a miracle"), 417),
    ("the same in a list", post(b"Expect: 100-continue, a miracle"), 417),

    ("101 fields", get(*[b"X: a"] * 100), 431),
    ("a field that is too long", get(b"X: " + b"a" * 17000), 431),
    ("a name that is too long", get(b"X" * 17000), 431),
    ("a request line that is too long", line(b"GET /" + b"a" * 17000 + b" HTTP/1.1"), 414),
    ("a method that is too long", b"G" * 17000, 414),

    ("HTTP/0.9", b"GET /healthz\r\n", 400),
    ("HTTP/0.9 with a blank", b"GET /healthz \r\n", 400),
    ("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("HTTP/1.2", line(b"GET /healthz HTTP/1.2"), 505),
    ("HTTP/2.0", line(b"GET /healthz HTTP/2.0"), 505),
    ("HTTP/0.9, said so", line(b"GET /healthz HTTP/0.9"), 505),
    ("HTTP/1.10", line(b"GET /healthz HTTP/1.10"), 400),
    ("HTTP/1", line(b"GET /healthz HTTP/1"), 400),
    ("http/1.1", line(b"GET /healthz http/1.1"), 400),
    ("a blank behind the version", line(b"GET /healthz HTTP/1.1 "), 400),
    ("two blanks before the target", line(b"GET  /healthz HTTP/1.1"), 400),
    ("two blanks before the version", line(b"GET /healthz  HTTP/1.1"), 400),
    ("a tab in the request line", line(b"GET\t/healthz HTTP/1.1"), 400),
    ("a blank in the target", line(b"GET /health z HTTP/1.1"), 400),
    ("a blank before the method", line(b" GET /healthz HTTP/1.1"), 400),
    ("two empty lines before it", b"\r\n\r\n" + get(), 400),
    ("a method that is no token", line(b"G@T /healthz HTTP/1.1"), 400),
    ("a method beyond ASCII", line(b"G\xc3\x84T /healthz HTTP/1.1"), 400),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),

    ("a fragment in the target", line(b"GET /healthz#top HTTP/1.1"), 400),
    ("a target without a slash", line(b"GET healthz HTTP/1.1"), 400),
    ("a target beyond ASCII", line(b"GET /h\xc3\xb6r HTTP/1.1"), 400),
    ("a control byte in the target", line(b"GET /\x01 HTTP/1.1"), 400),
    ("NUL in the target", line(b"GET /\0 HTTP/1.1"), 400),
    ("the authority form", line(b"CONNECT 127.0.0.1:80 HTTP/1.1"), 400),
    ("the asterisk form with GET", line(b"GET * HTTP/1.1"), 400),
    ("an absolute form of another host", line(b"GET http://localhost/healthz HTTP/1.1"), 400),
    ("an absolute form of another scheme", line(b"GET ftp://127.0.0.1/healthz HTTP/1.1"), 400),
    ("an absolute form with a user", line(b"GET http://u@127.0.0.1/healthz HTTP/1.1"), 400),
]

# Answered, and the connection goes on.
ANSWERED = [
    ("as it should be", get(), 200),
    ("an empty line before it", b"\r\n" + get(), 200),
    ("HTTP/1.0 that keeps alive", get(b"Connection: keep-alive", line=b"GET /healthz HTTP/1.0"),
     200),
    ("no blank behind the colon", get(b"X:a"), 200),
    ("blanks around a value", get(b"X:  \t a \t "), 200),
    ("an empty value", get(b"X:"), 200),
    ("bytes beyond ASCII in a value", get(b"X: \xe4\xc3\xa4"), 200),
    ("100 fields", get(*[b"X: a"] * 99), 200),
    ("a long field", get(b"X: " + b"a" * 15000), 200),
    ("a query", line(b"GET /healthz?a=b&c HTTP/1.1"), 200),
    ("the absolute form", line(b"GET http://127.0.0.1/healthz HTTP/1.1"), 200),
    ("a port in Host", host(b"127.0.0.1:8080"), 200),
    ("an empty port in Host", host(b"127.0.0.1:"), 200),
    ("IPv6 in Host", host(b"[::1]:8080"), 200),
    ("a body of 0 bytes", post(b"Content-Length: 0"), 200),
    ("the front page", line(b"GET / HTTP/1.1"), 200),
    ("nothing there", line(b"GET /nowhere HTTP/1.1"), 404),
    ("below what is there", line(b"GET /healthz/x HTTP/1.1"), 404),
    ("another method", line(b"DELETE / HTTP/1.1"), 405),
]

# Answered, and the connection ends.
LAST = [
    ("Connection: close", get(b"Connection: close")),
    ("close in a list, in capitals", get(b"Connection: foo, CLOSE")),
    ("close and keep-alive", get(b"Connection: keep-alive, close")),
    ("HTTP/1.0", line(b"GET /healthz HTTP/1.0")),
    ("HTTP/1.0 without Host", get(line=b"GET /healthz HTTP/1.0", host=b"")),
]

# Bodies that nobody asked for: (what it is, bytes). They are dropped, and the connection goes on.
BODIES = [
    ("a body", post(b"Content-Length: 4") + b"body"),
    ("a body that looks like a request", post(b"Content-Length: %d" % len(NEXT)) + NEXT),
    ("the longest that is dropped", post(b"Content-Length: 65536") + b"*" * 65536),
    ("a body with GET", get(b"Content-Length: 4") + b"body"),
    ("leading zeros in Content-Length", post(b"Content-Length: 0004") + b"body"),
    ("an HTTP/1.0 body",
     get(b"Connection: keep-alive", b"Content-Length: 4", line=b"POST /healthz HTTP/1.0") + b"body"),
    ("no chunk", post(CHUNKED) + b"0\r\n\r\n"),
    ("a chunk", post(CHUNKED) + b"4\r\nbody\r\n0\r\n\r\n"),
    ("chunked in capitals", post(CHUNKED.upper()) + b"4\r\nbody\r\n0\r\n\r\n"),
    ("chunks", post(CHUNKED) + b"A\r\n0123456789\r\n001\r\n\n\r\n0000\r\n\r\n"),
    ("extensions", post(CHUNKED) + b"4;a=b;c=\"d\"\r\nbody\r\n0 ;e\r\n\r\n"),
    ("trailers", post(CHUNKED) + b"4\r\nbody\r\n0\r\nContent-Length: 9\r\nX: y\r\n\r\n"),
]

# What stands instead of chunks: the connection ends, and nothing behind it is parsed.
BAD_CHUNKS = [
    ("no size", b"\r\n"),
    ("no number", b"x\r\n"),
    ("a sign", b"+4\r\nbody\r\n0\r\n\r\n"),
    ("a prefix", b"0x4\r\nbody\r\n0\r\n\r\n"),
    ("a blank before the size", b" 4\r\nbody\r\n0\r\n\r\n"),
    ("a blank behind the size", b"4 \r\nbody\r\n0\r\n\r\n"),
    ("a size beyond 64 bits", b"10000000000000004\r\nbody\r\n0\r\n\r\n"),
    ("many zeros", b"00000000000000000\r\n\r\n"),
    ("a bare LF behind the size", b"4\nbody\r\n0\r\n\r\n"),
    ("a bare CR behind the size", b"4\rbody\r\n0\r\n\r\n"),
    ("a bare LF in an extension", b"4;a\nbody\r\n0\r\n\r\n"),
    ("NUL in an extension", b"4;\0\r\nbody\r\n0\r\n\r\n"),
    ("extensions that are too long", b"4;" + b"a" * 5000 + b"\r\nbody\r\n0\r\n\r\n"),
    ("a chunk that is longer", b"4\r\nbody!\r\n0\r\n\r\n"),
    ("a chunk that is shorter", b"4\r\nbod\r\n0\r\n\r\n"),
    ("a bare LF behind a chunk", b"4\r\nbody\n0\r\n\r\n"),
    ("a bare LF at the end", b"0\r\n\n"),
    ("a trailer that is no field", b"0\r\nX\r\n\r\n"),
    ("a trailer that goes on in the next line", b"0\r\nX: a\r\n b\r\n\r\n"),
    ("too many trailers", b"0\r\n" + b"X: a\r\n" * 101 + b"\r\n"),
]


class Http(unittest.TestCase):
    def setUp(self):
        self.server = hotline_server.Server()
        self.addCleanup(self.finish)

    def finish(self):
        with self.server:
            self.assertEqual(self.server.stop(), (0, ""))

    def each_way(self, title, data, check, *wanted):
        for way, pieces in (("whole", whole(data)), ("byte by byte", byte_by_byte(data)),
                            ("cut at random", at_random(data, title))):
            with self.subTest(title, sent=way), Peer(self.server) as peer:
                check(peer.exchange(pieces), *wanted)

    def check_last(self, came, status):
        answer, rest = take_answer(came)
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.tokens("Connection"), {"close"})
        self.assertEqual(rest, b"", "nothing that follows is parsed")

    def check_first_of_two(self, came, status):
        first, second = take_answers(came)
        self.assertEqual(first.status, status)
        self.assertNotIn("close", first.tokens("Connection"))
        self.assertEqual((second.status, second.body), (200, b"ok\n"))
        self.assertEqual(second.tokens("Connection"), {"close"})

    def test_a_bad_request_is_refused_and_nothing_behind_it_is_parsed(self):
        for title, data, status in REFUSED:
            self.each_way(title, data + NEXT, self.check_last, status)

    def test_a_bad_request_is_refused_without_anything_behind_it(self):
        for title, data, status in REFUSED:
            self.each_way(title, data, self.check_last, status)

    def test_a_good_request_is_answered_and_the_next_one_too(self):
        for title, data, status in ANSWERED:
            self.each_way(title, data + NEXT, self.check_first_of_two, status)

    def test_a_last_request_is_answered_and_nothing_behind_it_is_parsed(self):
        for title, data in LAST:
            self.each_way(title, data + NEXT, self.check_last, 200)

    def test_a_body_that_nobody_asked_for_is_dropped_and_the_next_request_answered(self):
        for title, data in BODIES:
            self.each_way(title, data + NEXT, self.check_first_of_two, 200)

    def test_nothing_behind_a_malformed_body_is_parsed(self):
        def check(came):
            answer, = take_answers(came)
            self.assertEqual((answer.status, answer.body), (200, b"ok\n"))
        for title, data in BAD_CHUNKS:
            self.each_way(title, post(CHUNKED) + data + NEXT, check)

    def test_a_body_too_long_to_be_dropped_ends_the_connection(self):
        announced = post(b"Content-Length: 65537") + b"*" * 65537
        self.each_way("Content-Length", announced + NEXT, self.check_last, 200)
        with Peer(self.server) as peer:
            came = peer.exchange([post(CHUNKED) + b"ffff\r\n" + b"*" * 0xffff + b"\r\n" + NEXT])
            answer, = take_answers(came)
            self.assertEqual(answer.status, 200)

    def test_who_waits_for_100_continue_and_is_answered_at_once_is_not_asked_for_more(self):
        with Peer(self.server) as peer:
            peer.send(post(b"Content-Length: 4", b"Expect: 100-continue"))
            answer, rest = take_answer(peer.rest())
            self.assertEqual((answer.status, rest), (200, b""))
            self.assertEqual(answer.tokens("Connection"), {"close"})

    def test_http_1_0_is_told_that_its_connection_stays(self):
        data = get(b"Connection: keep-alive", line=b"GET /healthz HTTP/1.0")
        with Peer(self.server) as peer:
            first, _ = take_answers(peer.exchange([data + NEXT]))
            self.assertEqual(first.tokens("Connection"), {"keep-alive"})

    def test_an_answer_has_the_fields_that_it_needs(self):
        with Peer(self.server) as peer:
            peer.send(get())
            answer, _ = take_answer(peer.until(b"\r\n\r\n") + peer.exactly(3))
            self.assertRegex(answer.field("Date"), re.compile(
                r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d "
                r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$"))
            self.assertTrue(answer.field("Content-Type").startswith("text/plain"))
            self.assertEqual(answer.field("Content-Length"), "3")
            self.assertIsNone(answer.field("Server"))

    def test_head_is_answered_as_get_without_its_body(self):
        for path, status in ((b"/healthz", 200), (b"/", 200), (b"/nowhere", 404)):
            with self.subTest(path=path), Peer(self.server) as peer:
                came = peer.exchange([line(b"HEAD " + path + b" HTTP/1.1") + NEXT])
                answer, rest = take_answer(came, to_head=True)
                self.assertEqual(answer.status, status)
                self.assertGreater(int(answer.field("Content-Length")), 0)
                second, = take_answers(rest)
                self.assertEqual((second.status, second.body), (200, b"ok\n"))

    def test_a_wrong_method_is_told_which_are_right(self):
        with Peer(self.server) as peer:
            answer, _ = take_answers(peer.exchange([line(b"DELETE / HTTP/1.1") + NEXT]))
            self.assertEqual(answer.tokens("Allow"), {"get", "head"})

    def test_requests_come_one_by_one_on_one_connection(self):
        with Peer(self.server) as peer:
            for _ in range(100):
                peer.send(get())
                answer, rest = take_answer(peer.until(b"\r\n\r\n") + peer.exactly(3))
                self.assertEqual((answer.status, answer.body, rest), (200, b"ok\n", b""))

    def test_requests_in_a_row_are_answered_in_order(self):
        paths = [(b"/healthz", 200), (b"/nowhere", 404), (b"/", 200)] * 300
        data = b"".join(line(b"GET " + path + b" HTTP/1.1") for path, _ in paths) + NEXT
        for way, pieces in (("whole", whole(data)), ("in portions", at_random(data, 7)),
                            ("byte by byte", byte_by_byte(data[-5000:]))):
            with self.subTest(sent=way), Peer(self.server) as peer:
                if way == "byte by byte":
                    continue_at = data[-5000:].index(b"GET ")
                    pieces = byte_by_byte(data[-5000:][continue_at:])
                answers = take_answers(peer.exchange(pieces))
                wanted = [status for _, status in paths] + [200]
                self.assertEqual([one.status for one in answers], wanted[-len(answers):])
                self.assertTrue(len(answers) == len(wanted) or way == "byte by byte")

    def test_a_client_that_leaves_in_a_request_is_forgotten(self):
        start = descriptors_at_rest(self.server)
        for begun in (b"", b"G", get()[:-2], get()):
            for leave in (Peer.reset, Peer.hang_up):
                with self.subTest(begun=begun, leave=leave.__name__), Peer(self.server) as peer:
                    peer.send(begun)
                    leave(peer)
                    if leave is Peer.hang_up:
                        came = peer.rest()
                        self.assertEqual(came[:15], b"HTTP/1.1 200 OK" if begun == get() else b"")
                    self.assertTrue(eventually(lambda: self.server.descriptors() == start))


if __name__ == "__main__":
    hotline_server.main()
