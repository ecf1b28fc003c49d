"""RFC 6455 by tables of bytes, against the running server: each row whole, byte by byte, and cut at
random. The rows cover the Autobahn Testsuite's groups 1 to 7, 9 (smaller) and 10."""

import pathlib
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import closing_rows  # noqa: E402
import framing_rows  # noqa: E402
import hotline_server  # noqa: E402
import utf8_rows  # noqa: E402
from raw_peer import (CLOSE, TEXT, Peer, close, closed, descriptors_at_rest, echoed,  # noqa: E402
                      eventually, frame, header, upgrade_request)
from row import at_random, byte_by_byte, whole  # noqa: E402


class ServerCase(unittest.TestCase):
    arguments = ("--message-limit", "64M", "--fragment-limit", "1000000")

    def setUp(self):
        self.server = hotline_server.Server(*self.arguments, threads=2)
        self.addCleanup(self.finish)

    def finish(self):
        with self.server:
            status, errors = self.server.stop()
            self.assertEqual((status, errors), (0, ""), "the server's own ending")

    def check(self, rows, random_cuts=2):
        count = 0
        for number, row in enumerate(rows):
            data = row.input()
            ways = {"whole": whole(data), "byte by byte": byte_by_byte(data)}
            for seed in range(random_cuts):
                ways[f"cut at random, seed {number}.{seed}"] = at_random(data, f"{number}.{seed}")
            for way, pieces in ways.items():
                with self.subTest(row.title, sent=way):
                    with Peer(self.server) as peer:
                        complaint = row.complaint(peer.upgrade().exchange(pieces))
                        self.assertIsNone(complaint)
                count += 1
        self.assertGreater(count, 0)


class Session(ServerCase):
    def test_framing(self):
        self.check(framing_rows.rows())

    def test_texts(self):
        self.check(utf8_rows.rows(), random_cuts=1)

    def test_closing(self):
        self.check(closing_rows.rows())

    def test_sizes(self):
        self.check(framing_rows.size_rows())


class Limits(ServerCase):
    arguments = ("--message-limit", "1000", "--fragment-limit", "3")

    def test_limits(self):
        self.check(framing_rows.limit_rows())


class Ending(ServerCase):
    def test_a_peer_that_goes_on_sending_still_reads_the_close_frame(self):
        for sent in ("at once", "afterwards"):
            with self.subTest(sent=sent), Peer(self.server) as peer:
                peer.upgrade()
                bad, more = header(3, 0), b"\xff" * 900_000
                if sent == "at once":
                    peer.send(bad + more)
                else:
                    peer.send(bad)
                    peer.socket.recv(1, socket.MSG_PEEK)  # the close frame is here
                    peer.send(more)
                self.assertEqual(peer.close_code(), 1002)
                self.assertEqual(peer.rest(), b"")

    def test_a_peer_that_stays_is_let_go(self):
        start = descriptors_at_rest(self.server)
        with Peer(self.server) as peer:
            peer.upgrade().send(close(1000))
            self.assertEqual(peer.rest(), closed(1000))
            self.assertTrue(eventually(lambda: self.server.descriptors() == start))

    def test_a_peer_that_shuts_down_its_writing_gets_what_it_asked_for(self):
        with Peer(self.server) as peer:
            peer.upgrade().send(frame(TEXT, b"Hello") + close(3000))
            peer.hang_up()
            self.assertEqual(peer.rest(), echoed(TEXT, b"Hello") + closed(3000))

    def test_a_peer_that_goes_without_a_word_is_forgotten(self):
        start = descriptors_at_rest(self.server)
        for leave in (Peer.hang_up, Peer.reset):
            for begun in (b"", frame(TEXT, b"Hello")[:4], header(TEXT, 100000)):
                with self.subTest(leave=leave.__name__, begun=begun), Peer(self.server) as peer:
                    peer.upgrade().send(begun)
                    leave(peer)
                    if leave is Peer.hang_up:
                        self.assertIn(peer.rest()[:1], (b"", bytes([0x80 | CLOSE])))
                    self.assertTrue(eventually(lambda: self.server.descriptors() == start))

    def test_bytes_behind_the_request_are_the_first_of_the_session(self):
        first = frame(TEXT, b"early") + close(1000)
        data = upgrade_request() + first
        for way, pieces in {"whole": whole(data), "byte by byte": byte_by_byte(data),
                            "the head, and a bit": [data[:-20], data[-20:]]}.items():
            with self.subTest(sent=way), Peer(self.server) as peer:
                head, _, behind = peer.exchange(pieces).partition(b"\r\n\r\n")
                self.assertTrue(head.startswith(b"HTTP/1.1 101 "), head)
                self.assertEqual(behind, echoed(TEXT, b"early") + closed(1000))


if __name__ == "__main__":
    hotline_server.main()
