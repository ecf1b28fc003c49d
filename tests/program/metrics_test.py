"""/metrics: in the OpenMetrics format, right in its numbers, and only where it may be seen."""

import http.client
import pathlib
import re
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server  # noqa: E402
from raw_peer import PING, PONG, TEXT, Peer, close, eventually, frame, upgrade_request  # noqa: E402

TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
SUFFIXES = {"counter": {"_total"}, "gauge": {""}, "info": {"_info"},
            "histogram": {"_bucket", "_count", "_sum"}}


def get(port, path="/metrics", **fields):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=hotline_server.PATIENCE)
    try:
        connection.request("GET", path, headers=fields)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read().decode()
    finally:
        connection.close()


def parse(text):
    """The samples, by name and labels; raises where the text is no OpenMetrics (as its ABNF and
    section 5 of the specification have it, for what this program uses)."""
    lines = text.split("\n")
    assert lines[-2:] == ["# EOF", ""], lines[-2:]
    samples, families, family, kind = {}, set(), None, None
    for line in lines[:-2]:
        if match := re.fullmatch(r"# TYPE ([a-z_]+) (\w+)", line):
            family, kind = match.groups()
            assert family not in families, family
            assert not family.endswith(("_total", "_count", "_sum", "_bucket", "_info")), family
            families.add(family)
        elif match := re.fullmatch(r"# UNIT ([a-z_]+) (\w+)", line):
            assert match[1] == family and family.endswith("_" + match[2]), line
        elif match := re.fullmatch(r"# HELP ([a-z_]+) (\S.*)", line):
            assert match[1] == family, line
        else:
            match = re.fullmatch(r'([a-z_]+)(?:\{((?:[a-z]+="[^"\\]*",?)*)\})? (\S+)', line)
            assert match, line
            name, labels, value = match.groups()
            assert name.startswith(family) and name[len(family):] in SUFFIXES[kind], line
            key = name + ("{" + labels + "}" if labels else "")
            assert key not in samples, key
            samples[key] = float(value)
            assert samples[key] >= 0, line
    return samples


class Metrics(unittest.TestCase):
    def samples(self, port):
        status, kind, text = get(port)
        self.assertEqual((status, kind), (200, TYPE))
        return parse(text)

    def test_they_count_connections_messages_and_endings(self):
        for threads in (1, 2):
            with self.subTest(threads), hotline_server.Server(threads=threads) as server:
                first = self.samples(server.port)
                self.assertEqual(first["hotline_websocket_connections_open"], 0)
                self.assertEqual(first['hotline_websocket_handshakes_refused_total'
                                       '{reason="origin"}'], 0, "known from the beginning")
                peers = [Peer(server).upgrade() for _ in range(6)]
                for peer in peers:
                    peer.send(frame(TEXT, b"hello") + frame(TEXT, b"you"))
                    peer.frame(), peer.frame()
                now = self.samples(server.port)
                prefix = "hotline_websocket_"
                self.assertEqual(now[prefix + "connections_open"], 6)
                self.assertEqual(now[prefix + 'messages_total{direction="received"}'], 12)
                self.assertEqual(now[prefix + 'messages_total{direction="sent"}'], 12)
                self.assertEqual(now[prefix + 'message_bytes_total{direction="received"}'], 48)
                self.assertEqual(now[prefix + 'message_bytes_total{direction="sent"}'], 48)
                self.assertEqual(now["hotline_backlog_bytes"], 0)
                self.assertGreaterEqual(now["hotline_connections_open"], 6)
                for peer in peers[:3]:
                    peer.send(close(4000))
                for peer in peers[3:]:
                    peer.send(frame(3))
                for peer in peers:
                    peer.rest()
                    peer.socket.close()
                with Peer(server) as peer:
                    peer.send(upgrade_request(origin="http://evil.example"))
                    peer.rest()
                now = self.samples(server.port)
                self.assertEqual(now[prefix + "connections_open"], 0)
                self.assertEqual(now[prefix + "connections_total"], 6)
                self.assertEqual(now[prefix + 'closed_total{code="4000-4999",by="client"}'], 3)
                self.assertEqual(now[prefix + 'closed_total{code="1002",by="server"}'], 3)
                self.assertEqual(now[prefix + 'handshakes_refused_total{reason="origin"}'], 1)
                self.assertEqual(now['hotline_http_requests_total{status="101"}'], 6)
                self.assertEqual(now['hotline_http_requests_total{status="4xx"}'], 1)
                self.assertEqual(now['hotline_http_requests_total{status="2xx"}'], 2)
                self.assertEqual(server.stop(), (0, ""))

    def test_they_show_what_waits_for_slow_peers(self):
        with hotline_server.Server() as server, Peer(server, receive_buffer=4096) as slow:
            slow.upgrade().send_what_fits(frame(TEXT, b"*" * 100_000) * 200)
            self.assertTrue(eventually(
                lambda: self.samples(server.port)["hotline_backlog_bytes"] > 60_000))
            slow.reset()
            self.assertTrue(eventually(
                lambda: self.samples(server.port)["hotline_backlog_bytes"] == 0))

    def test_keepalive_pings_are_measured(self):
        with hotline_server.Server("--ping-interval", "50ms") as server, Peer(server) as peer:
            peer.upgrade()
            for _ in range(3):
                opcode, payload = peer.frame()
                self.assertEqual(opcode, PING)
                peer.send(frame(PONG, payload))
            name = "hotline_websocket_round_trip_seconds"
            self.assertTrue(eventually(lambda: self.samples(server.port)[name + "_count"] == 3))
            now = self.samples(server.port)
            self.assertEqual(now[name + '_bucket{le="+Inf"}'], 3)
            buckets = [value for key, value in now.items() if key.startswith(name + "_bucket")]
            self.assertEqual(buckets, sorted(buckets))
            self.assertGreater(now[name + "_sum"], 0)

    def test_they_are_not_shown_to_everybody(self):
        with hotline_server.Server(listen="0.0.0.0:0") as server:
            self.assertEqual(get(server.port)[0], 404)
        with hotline_server.Server("--metrics-listen", "off") as server:
            self.assertEqual(get(server.port)[0], 404)
        with hotline_server.Server("--trusted-proxy", "10.0.0.1") as server:
            self.assertEqual(get(server.port)[0], 404, "who comes by a proxy may be anybody")
        with hotline_server.Server() as server:
            for field in ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"):
                self.assertEqual(get(server.port, **{field: "for=192.0.2.1"})[0], 404, field)
            self.assertEqual(get(server.port)[0], 200)

    def test_they_may_have_a_listener_of_their_own(self):
        with hotline_server.Server("--metrics-listen", "127.0.0.1:0",
                                   listen="0.0.0.0:0") as server:
            line = server.process.stdout.readline()
            match = re.fullmatch(r"metrics on http://127\.0\.0\.1:(\d+)/metrics\n", line)
            self.assertTrue(match, line)
            port = int(match[1])
            with Peer(server) as peer:
                peer.upgrade()
                self.assertEqual(self.samples(port)["hotline_websocket_connections_open"], 1)
                peer.send(close(1000))
                peer.rest()
            self.assertEqual(get(server.port)[0], 404)
            self.assertEqual(get(port, "/echo")[0], 404)
            self.assertEqual(get(port, Via="1.1 proxy")[0], 200, "who may ask is the caller's say")
            self.assertEqual(server.stop(), (0, ""))

    def test_a_port_that_is_taken_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            place = "127.0.0.1:%d" % taken.getsockname()[1]
            ended = hotline_server.run("serve", "--listen", "127.0.0.1:0", "--metrics-listen", place)
            self.assertEqual((ended.returncode, ended.stdout), (1, ""))
            self.assertIn(place, ended.stderr)


if __name__ == "__main__":
    hotline_server.main()
