"""What the program needs of the system: threads, addresses, descriptors."""

import pathlib
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server  # noqa: E402
from http_answers import take_answer  # noqa: E402
from raw_peer import (PING, PONG, TEXT, Peer, close, closed, descriptors_at_rest,  # noqa: E402
                      frame, upgrade_request)


def thread_times(server):
    """Nanoseconds on the processor, by thread."""
    return {task.name: int((task / "schedstat").read_text().split()[0])
            for task in pathlib.Path(f"/proc/{server.pid}/task").iterdir()}


class Serving(unittest.TestCase):
    def test_each_thread_serves(self):
        with hotline_server.Server(threads=2) as server:
            peers = [Peer(server).upgrade() for _ in range(64)]
            before = thread_times(server)
            for _ in range(20):
                for peer in peers:
                    peer.send(frame(TEXT, b"Hello"))
                for peer in peers:
                    self.assertEqual(peer.frame(), (TEXT, b"Hello"))
            after = thread_times(server)
            busy = [task for task in after if after[task] > before.get(task, 0)]
            self.assertEqual(len(busy), 2, (before, after))
            for peer in peers:
                peer.socket.close()
            self.assertEqual(server.stop(), (0, ""))

    def test_who_listens_for_everybody_answers_to_any_name(self):
        with hotline_server.Server(listen="0.0.0.0:0") as server, Peer(server) as peer:
            peer.upgrade(host="example.com", origin="http://example.com")
            peer.send(close(1000))
            self.assertEqual(peer.rest(), closed(1000))

    def test_who_asks_nothing_more_is_let_go_of(self):
        with hotline_server.Server("--http-idle-timeout", "200ms") as server:
            with Peer(server) as asking, Peer(server) as talking:
                asking.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                talking.upgrade()
                self.assertTrue(asking.rest().endswith(b"ok\n"))
                talking.send(frame(TEXT, b"still here"))
                self.assertEqual(talking.frame(), (TEXT, b"still here"))

    def test_a_directory_is_served_beside_the_rest(self):
        with tempfile.TemporaryDirectory() as directory:
            pathlib.Path(directory, "index.html").write_text("<p>home</p>")
            pathlib.Path(directory, "notes.txt").write_text("some notes")
            pathlib.Path(directory, "echo").write_text("not this one")
            with hotline_server.Server("--static", directory) as server:
                for path, status, body in (("/", 200, b"<p>home</p>"),
                                           ("/notes.txt", 200, b"some notes"),
                                           ("/healthz", 200, b"ok\n"),
                                           ("/nothing", 404, None),
                                           ("/%2e%2e/etc/passwd", 301, None),
                                           ("/..%2fetc%2fpasswd", 404, None)):
                    with self.subTest(path), Peer(server) as peer:
                        peer.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
                                  "Connection: close\r\n\r\n".encode())
                        answer, _ = take_answer(peer.rest())
                        self.assertEqual(answer.status, status)
                        if body is not None:
                            self.assertEqual(answer.body, body)
                with Peer(server) as peer:
                    peer.upgrade().send(frame(TEXT, b"hello"))
                    self.assertEqual(peer.frame(), (TEXT, b"hello"))
                    peer.send(close(1000))
                    self.assertEqual(peer.rest(), closed(1000))


class WithoutDescriptors(unittest.TestCase):
    """A limit of 64 descriptors, and 100 connections."""

    def setUp(self):
        if hotline_server.sanitized():
            self.skipTest("the sanitizers' own checks need descriptors")
        self.server = hotline_server.Server(descriptors=64)
        free = 64 - descriptors_at_rest(self.server)
        self.peers = []
        for _ in range(100):
            peer = Peer(self.server)
            peer.send(upgrade_request())  # taken or not, the system queues it
            self.peers.append(peer)
        self.served, self.waiting = self.peers[:free], self.peers[free:]  # in their order
        for peer in self.served:
            self.assertTrue(peer.until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 "))

    def tearDown(self):
        for peer in self.peers:
            peer.socket.close()
        with self.server:
            self.assertEqual(self.server.stop(), (0, ""))

    def test_those_inside_are_served_and_those_outside_are_let_in_when_some_leave(self):
        self.assertGreater(len(self.served), 30)
        self.assertGreater(len(self.waiting), 30)

        before = self.server.cpu_seconds()
        time.sleep(1)  # what is measured is a second of nothing to do
        self.assertLess(self.server.cpu_seconds() - before, 0.2, "it spins")

        for peer in self.served:
            peer.send(frame(PING, b"?"))
        for peer in self.served:
            self.assertEqual(peer.frame(), (PONG, b"?"))

        leaving, staying = self.served[:10], self.served[10:]
        for peer in leaving:
            peer.send(close(1000))
            self.assertEqual(peer.rest(), closed(1000))
            peer.socket.close()
        for peer in self.waiting[:10]:
            self.assertTrue(peer.until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 "))
        for peer in staying + self.waiting[:10]:
            peer.send(frame(TEXT, b"Hello"))
            self.assertEqual(peer.frame(), (TEXT, b"Hello"))

    def test_it_drains(self):
        self.server.signal()
        for peer in self.served:
            self.assertEqual(peer.close_code(), 1001)
            peer.send(close(1001))
            self.assertEqual(peer.rest(), b"")
            peer.socket.close()


if __name__ == "__main__":
    hotline_server.main()
