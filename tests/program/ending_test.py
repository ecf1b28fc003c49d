"""How the program ends: gently at the first signal, whoever is connected, and at once at the
second."""

import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server  # noqa: E402
from http_answers import take_answer  # noqa: E402
from raw_peer import TEXT, Peer, close, echoed, frame, upgrade_request  # noqa: E402

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Ending(unittest.TestCase):
    def test_a_signal_says_1001_to_each_client_and_ends_with_status_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            for threads in (1, 2):
                with self.subTest(number, threads=threads):
                    with hotline_server.Server(threads=threads) as server:
                        peers = [Peer(server).upgrade() for _ in range(20)]
                        for peer in peers[::2]:
                            peer.send(frame(TEXT, b"Hello"))
                            self.assertEqual(peer.frame(), (TEXT, b"Hello"))
                        server.signal(number)
                        for peer in peers:
                            self.assertEqual(peer.close_code(), 1001)
                            peer.send(close(1001))
                            self.assertEqual(peer.rest(), b"")
                            peer.socket.close()
                        self.assertEqual(server.stop(), (0, ""))

    def test_one_without_clients_just_ends(self):
        for threads in (1, 2):
            with hotline_server.Server(threads=threads) as server:
                self.assertEqual(server.stop(), (0, ""))

    def test_those_that_do_not_speak_are_not_waited_for(self):
        with hotline_server.Server(threads=2) as server:
            silent = [Peer(server) for _ in range(10)]
            between = Peer(server)  # its connection was used, and is kept alive
            between.send(REQUEST)
            between.until(b"ok\n")
            began = time.monotonic()
            server.signal()
            for peer in [*silent, between]:
                self.assertEqual(peer.rest(), b"")
                peer.socket.close()
            self.assertEqual(server.stop(), (0, ""))
            self.assertLess(time.monotonic() - began, 4)

    def test_one_that_never_answers_does_not_hold_it_up_for_long(self):
        with (hotline_server.Server(threads=2) as server, hotline_server.Server() as other,
              Peer(server) as silent, Peer(server) as in_a_message, Peer(server) as deaf,
              Peer(other) as in_a_head):
            silent.upgrade()
            in_a_message.upgrade().send(frame(TEXT, b"*" * 1000)[:100])
            # Its socket is full, and the server's, of echoes that it does not read.
            deaf.upgrade().send_what_fits(frame(TEXT, b"*" * 100_000) * 300)
            in_a_head.send(upgrade_request()[:40])
            server.signal()
            other.signal()
            self.assertEqual(silent.close_code(), 1001)
            self.assertEqual(in_a_message.close_code(), 1001)
            # The grace of a close is 5 s, the whole drain's 10 s.
            self.assertEqual(server.wait(), 0)
            # A head that has begun has a second.
            self.assertEqual(other.wait(), 0)
            self.assertEqual(server.stop(), (0, ""))
            self.assertEqual(other.stop(), (0, ""))

    def test_a_second_signal_ends_at_once(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number), hotline_server.Server(threads=2) as server:
                peers = [Peer(server).upgrade() for _ in range(4)]
                began = time.monotonic()
                server.signal()
                for peer in peers:
                    self.assertEqual(peer.close_code(), 1001)
                self.assertIsNone(server.process.poll(), "it waits for the answers")
                server.signal(number)
                self.assertEqual(server.wait(), 0)
                self.assertLess(time.monotonic() - began, 3, "that is not at once")
                for peer in peers:
                    peer.socket.close()

    def test_what_was_sent_before_the_signal_is_answered(self):
        # Held while both arrive, the server finds them together.
        for threads in (1, 2):
            with self.subTest(threads=threads), hotline_server.Server(threads=threads) as server:
                known = [Peer(server).upgrade() for _ in range(4)]
                server.signal(signal.SIGSTOP)
                queued = [Peer(server) for _ in range(8)]
                for peer in queued:
                    peer.send(REQUEST)
                for peer in known:
                    peer.send(frame(TEXT, b"in time") + close(3000))
                server.signal(signal.SIGTERM)
                server.signal(signal.SIGCONT)
                for peer in queued:
                    answer, rest = take_answer(peer.rest())
                    self.assertEqual((answer.status, answer.body, rest), (200, b"ok\n", b""))
                    peer.socket.close()
                for peer in known:
                    # The signal may come first; a close is answered either way.
                    came = peer.rest().removeprefix(echoed(TEXT, b"in time"))
                    self.assertIn(int.from_bytes(came[2:4], "big"), (1001, 3000), came)
                    peer.socket.close()
                self.assertEqual(server.stop(), (0, ""))

    def test_nobody_is_let_in_while_it_ends(self):
        with hotline_server.Server() as server, Peer(server) as peer:
            peer.upgrade()
            server.signal()
            self.assertEqual(peer.close_code(), 1001)
            with self.assertRaises(ConnectionRefusedError):
                Peer(server)
            peer.send(close(1001))
            self.assertEqual(peer.rest(), b"")
            self.assertEqual(server.stop(), (0, ""))


if __name__ == "__main__":
    hotline_server.main()
