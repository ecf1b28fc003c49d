"""What the program logs: a line for each request, and one for the end of each connection."""

import json
import os
import pathlib
import re
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server  # noqa: E402
from raw_peer import BINARY, TEXT, Peer, close, frame, upgrade_request  # noqa: E402

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: test/1\r\n\r\n"


class Logged:
    """A server whose log is read when it has ended."""

    def __init__(self, form, level="info"):
        self.server = hotline_server.Server("--log-format", form, log_level=level)

    def __enter__(self):
        return self.server

    def __exit__(self, kind, *_):
        if kind is None:
            status, text = self.server.stop()
            assert status == 0, (status, text)
            self.lines = text.splitlines()
        self.server.__exit__()

    def of(self, event):
        """Lines of that kind, as dicts, from either form."""
        found = []
        for line in self.lines:
            if line.startswith("{"):
                fields = json.loads(line)
                if fields["event"] == event:
                    found.append(fields)
            else:
                match = re.fullmatch(r"(\S+Z) (\w+) (\w+) (.*)", line)
                if match and match[3] == event:
                    pairs = re.findall(r'(\w+)=("[^"]*"|\S+)', match[4])
                    found.append({"time": match[1], "level": match[2],
                                  **{key: value.strip('"') if '"' in value else json.loads(value)
                                     for key, value in pairs}})
        return found


def converse(server):
    """A request, and a connection with three messages."""
    with Peer(server) as peer:
        address = "%s:%d" % peer.socket.getsockname()
        peer.send(HEALTH)
        peer.until(b"ok\n")
        peer.upgrade(path="/echo?room=3")
        for opcode, payload in ((TEXT, b"hello"), (BINARY, b"b" * 300), (TEXT, b"")):
            peer.send(frame(opcode, payload))
            peer.frame()
        peer.send(close(4001, b'done "so"'))
        peer.rest()
    return address


class Logs(unittest.TestCase):
    def test_each_request_and_each_connections_end_has_a_line(self):
        for form in ("text", "json"):
            with self.subTest(form):
                logged = Logged(form)
                with logged as server:
                    client = converse(server)
                requests = logged.of("request")
                self.assertEqual([(line["target"], line["status"]) for line in requests],
                                 [("/healthz", 200), ("/echo?room=3", 101)])
                self.assertRegex(requests[0]["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
                for key, value in {"level": "info", "client": client, "method": "GET",
                                   "version": "1.1", "end": "answered", "bytes_sent": 3,
                                   "bytes_received": 0, "agent": "test/1"}.items():
                    self.assertEqual(requests[0][key], value, key)
                self.assertEqual(requests[1]["end"], "upgraded")
                self.assertGreaterEqual(requests[0]["seconds"], 0)
                self.assertLess(requests[0]["seconds"], hotline_server.PATIENCE)
                (ended,) = logged.of("connection")
                for key, value in {"level": "info", "client": client, "target": "/echo?room=3",
                                   "messages_received": 3, "bytes_received": 305,
                                   "messages_sent": 3, "bytes_sent": 305, "code": 4001,
                                   "closed_by": "client", "meaning": "application"}.items():
                    self.assertEqual(ended[key], value, key)
                self.assertEqual(ended["reason"],
                                 'done "so"' if form == "json" else r"done \x22so\x22")
                self.assertLess(ended["seconds"], hotline_server.PATIENCE)

    def test_who_ended_a_connection_is_told(self):
        logged = Logged("json")
        with logged as server:
            with Peer(server) as rude:
                rude.upgrade().send(frame(3, b""))
                self.assertEqual(rude.close_code(), 1002)
            with Peer(server) as gone:
                gone.upgrade().hang_up()
                gone.rest()
            with Peer(server) as patient:
                patient.upgrade()
                server.signal()
                self.assertEqual(patient.close_code(), 1001)
                patient.send(close(1001))
                patient.rest()
        self.assertEqual([(line["code"], line["closed_by"]) for line in logged.of("connection")],
                         [(1002, "server"), (1006, "transport"), (1001, "server")])

    def test_what_a_peer_sends_stays_within_its_line(self):
        evil = "/\x7f\x1b[2J\"\\%0a"
        for form in ("text", "json"):
            with self.subTest(form):
                logged = Logged(form)
                with logged as server:
                    for target in ("/a\"b\\c", "/x%0d%0ay"):
                        with Peer(server) as peer:
                            peer.send(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                      "User-Agent: \xe9\"\\\t{}\r\nConnection: close\r\n\r\n"
                                      .encode("latin-1"))
                            peer.rest()
                    with Peer(server) as peer:
                        peer.send(f"GET {evil} HTTP/1.1\r\n\r\n".encode())
                        peer.rest()
                    with Peer(server) as peer:
                        peer.upgrade().send(close(4000, "\u0007\"}\n{\u009b 電話".encode()))
                        peer.rest()
                for line in logged.lines:
                    self.assertTrue(all(c >= " " and not "\x7f" <= c < "\xa0" for c in line), line)
                    if form == "json":
                        self.assertIsInstance(json.loads(line), dict)
                    else:
                        self.assertRegex(line, r"^\S+Z (info|warning) \w")
                if form == "json":
                    (ended,) = logged.of("connection")
                    self.assertEqual(ended["reason"], "\u0007\"}\n{\u009b 電話")
                    self.assertEqual([line.get("target") for line in logged.of("request")][:2],
                                     ["/a\"b\\c", "/x%0d%0ay"])

    def test_refused_requests_are_told_with_their_reason(self):
        logged = Logged("json")
        with logged as server:
            with Peer(server) as peer:
                peer.send(b"GET / HTTP/1.1\r\n\r\n")  # no Host
                peer.rest()
            with Peer(server) as peer:
                peer.send(upgrade_request(origin="http://evil.example"))
                peer.rest()
        first, second = logged.of("request")
        self.assertEqual((first["status"], first["end"]), (400, "refused"))
        self.assertTrue(first["reason"])
        self.assertEqual((second["status"], second["target"]), (403, "/echo"))
        self.assertIn("http://evil.example", second["reason"])
        self.assertEqual(logged.of("message"), [], "one line each")

    def test_other_lines_are_objects_too(self):
        logged = Logged("json", level="debug")
        with logged as server, Peer(server) as peer:
            peer.upgrade().send(frame(3, b""))
            peer.rest()
        messages = logged.of("message")
        self.assertTrue(messages)
        for line in messages:
            self.assertEqual(set(line), {"time", "level", "event", "message"})

    def test_there_is_none_above_info(self):
        for level in ("warning", "error", "off"):
            logged = Logged("text", level=level)
            with logged as server:
                converse(server)
            self.assertEqual(logged.lines, [])

    def test_nobody_waits_for_a_reader_of_the_log(self):
        # Nobody reads its stderr, a pipe of 64 KiB: it serves all the same, and it ends.
        server = hotline_server.Server("--log-format", "json", log_level="info")
        with server, Peer(server) as peer:
            peer.send(HEALTH * 6000)
            answers = b""
            while answers.count(b"\r\n\r\nok\n") < 6000:
                answers += peer.socket.recv(1 << 20)
            peer.socket.close()
            server.signal()
            self.assertEqual(server.wait(), 0)
            written = b""
            os.set_blocking(server.process.stderr.fileno(), False)
            try:
                while piece := os.read(server.process.stderr.fileno(), 1 << 16):
                    written += piece
            except BlockingIOError:
                pass
            lines = written.split(b"\n")
            self.assertGreater(len(lines), 100)
            for line in lines[:-1]:
                json.loads(line)

    def test_whoever_reads_it_may_leave(self):
        with hotline_server.Server(log_level="info") as server:
            server.process.stderr.close()
            for _ in range(3):
                with Peer(server) as peer:
                    peer.send(HEALTH)
                    peer.until(b"ok\n")
            with Peer(server) as peer:
                peer.upgrade().send(frame(TEXT, b"still here"))
                self.assertEqual(peer.frame(), (TEXT, b"still here"))
                server.signal()
                self.assertEqual(peer.close_code(), 1001)
            self.assertEqual(server.wait(), 0)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    hotline_server.main()
