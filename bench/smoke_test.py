#!/usr/bin/env python3
"""The benchmark's own test: short runs against the floor, and echoes that must not pass for one."""

import argparse
import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "release"
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
FINAL = 0x80


def program(name):
    places = (BUILD / name, BUILD / "bench" / name, BUILD / "bin" / name)
    return str(next((place for place in places if place.is_file()), places[1]))


@contextlib.contextmanager
def floor():
    """The floor on a port of its own: (port, process)."""
    server = subprocess.Popen([program("bench_epoll_floor"), "--port", "0"],
                              stdout=subprocess.PIPE, text=True)
    try:
        yield int(server.stdout.readline().split()[-1]), server
    finally:
        server.terminate()
        server.stdout.close()
        server.wait(timeout=10)


def load(port, *arguments):
    return subprocess.run([program("bench_load"), "--port", str(port), "--json", "--warmup", "0.05",
                           *arguments], capture_output=True, text=True, timeout=60)


def frame(opcode, payload, first=FINAL):
    size = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2, "big")
    return bytes([first | opcode]) + size + payload


class Peer(threading.Thread):
    """Serves one connection; answer(number, opcode, payload) gives the bytes for each message, or
    None to hang up."""

    def __init__(self, answer, status="101 Switching Protocols",
                 accept="s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", farewell=b""):
        super().__init__(daemon=True)
        self.answer = answer
        self.farewell = farewell
        self.head = (f"HTTP/1.1 {status}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     f"Sec-WebSocket-Accept: {accept}\r\n\r\n").encode()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(10)
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        with self.listener, contextlib.suppress(OSError, EOFError):
            connection, _ = self.listener.accept()
            connection.settimeout(10)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection, connection.makefile("rb") as stream:
                while stream.readline() not in (b"\r\n", b""):
                    pass
                connection.sendall(self.head)
                self.echo(connection, stream)

    def echo(self, connection, stream):
        number = 0
        while True:
            start = stream.read(2)
            if len(start) < 2:
                return
            opcode, size = start[0] & 15, start[1] & 127
            if size == 126:
                size = int.from_bytes(stream.read(2), "big")
            key = stream.read(4)
            payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(stream.read(size)))
            if opcode == CLOSE:
                connection.sendall(self.farewell + frame(CLOSE, payload))
                return
            if opcode > CLOSE:
                continue
            number += 1
            answer = self.answer(number, opcode, payload)
            if answer is None:
                return
            connection.sendall(answer)


def honest(_, opcode, payload):
    return frame(opcode, payload)


def at_the_40th(wrong):
    return lambda number, opcode, payload: (wrong if number == 40 else honest)(
        number, opcode, payload)


class AgainstTheFloor(unittest.TestCase):
    def assert_measures(self, kind, *arguments):
        with floor() as (port, server):
            done = load(port, "--seconds", "0.3", "--pid", str(server.pid), *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["kind"], kind)
        self.assertGreater(report["seconds"], 0.1)  # a busy machine may take long
        self.assertGreater(report["messages"], 0)
        self.assertAlmostEqual(report["messages_per_second"],
                               report["messages"] / report["seconds"],
                               delta=0.01 * report["messages_per_second"])
        self.assertAlmostEqual(report["megabytes_per_second"],
                               report["messages_per_second"] * report["size"] / 1e6,
                               delta=0.002 + 0.01 * report["megabytes_per_second"])  # three decimals
        times = report["round_trip_us"]
        self.assertGreater(times["p50"], 0)
        self.assertLessEqual(times["p50"], times["p90"])
        self.assertLessEqual(times["p90"], times["p99"])
        self.assertGreater(report["server_cpu_ns_per_message"], 0)
        self.assertGreater(report["server_busy"], 0)
        self.assertGreaterEqual(report["server_waited"], 0)
        self.assertGreaterEqual(report["load_waited"], 0)
        self.assertEqual(server.returncode, 0, "SIGTERM ends the floor with 0")
        return report

    def test_one_message_at_a_time(self):
        report = self.assert_measures("binary", "--size", "32")
        self.assertEqual((report["connections"], report["in_flight"], report["size"]), (1, 1, 32))

    def test_many_small_messages_in_flight_while_spinning(self):
        self.assert_measures("text", "--connections", "20", "--in-flight", "256", "--size", "64",
                             "--text", "--spin")

    def test_large_messages_both_ways_at_once(self):
        self.assert_measures("utf8", "--connections", "2", "--in-flight", "3", "--size", "1048576",
                             "--text", "utf8")

    def test_messages_around_every_length_form(self):
        with floor() as (port, _):
            for size in (0, 1, 7, 125, 126, 4097, 65515, 65528, 65535, 65536, 65537):
                with self.subTest(size=size):
                    done = load(port, "--seconds", "0.02", "--in-flight", "5", "--size", str(size))
                    self.assertEqual(done.returncode, 0, done.stderr)


class WhatIsNoEcho(unittest.TestCase):
    def assert_refused(self, message, answer, *arguments, **peer):
        done = load(Peer(answer, **peer).port, "--seconds", "0.3", "--in-flight", "2", *arguments)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(message, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_an_honest_peer_passes(self):
        done = load(Peer(honest).port, "--seconds", "0.2", "--in-flight", "2")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_an_honest_peer_may_fragment_and_ping(self):
        def answer(_, opcode, payload):
            return (frame(opcode, payload[:5], first=0) + frame(PING, b"there?")
                    + frame(0, b"", first=0) + frame(0, payload[5:]))
        done = load(Peer(answer).port, "--seconds", "0.2", "--in-flight", "2")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_changed_byte(self):
        self.assert_refused("something else", at_the_40th(
            lambda _, opcode, payload: frame(opcode, payload[:-1] + b"\0")), "--text")

    def test_a_changed_byte_in_a_large_message(self):
        # Every 16th batch of two is compared: the 33rd and 34th message are.
        self.assert_refused("something else", lambda number, opcode, payload: frame(
            opcode, payload[:9000] + (b"\0" if number == 34 else payload[9000:9001])
            + payload[9001:]), "--text", "--size", "10000", "--warmup", "5")

    def test_a_lost_byte(self):
        self.assert_refused("has 31", at_the_40th(
            lambda _, opcode, payload: frame(opcode, payload[:-1])))

    def test_text_for_binary(self):
        self.assert_refused("has opcode 1", at_the_40th(
            lambda _, opcode, payload: frame(TEXT, payload)))

    def test_an_echo_too_many(self):
        self.assert_refused("more echoes", lambda number, opcode, payload: frame(
            opcode, payload) * (1 if number % 2 else 2))

    def test_an_echo_too_many_after_the_end(self):
        self.assert_refused("more echoes", honest, farewell=frame(BINARY, bytes(32)))

    def test_a_close_frame(self):
        self.assert_refused("1013 busy", at_the_40th(
            lambda *_: frame(CLOSE, (1013).to_bytes(2, "big") + b"busy")))

    def test_a_hang_up(self):
        self.assert_refused("hung up", at_the_40th(lambda *_: None))

    def test_a_refused_handshake(self):
        self.assert_refused("refused: HTTP/1.1 404", honest, status="404 Not Found")

    def test_a_wrong_accept_header(self):
        self.assert_refused("Accept is wrong", honest, accept="none")


class TheScripts(unittest.TestCase):
    def run_script(self, *words):
        return subprocess.run([sys.executable, str(HERE / words[0]), *words[1:]],
                              capture_output=True, text=True, timeout=120)

    def test_compare_prints_a_table(self):
        done = self.run_script("compare", "--build", str(BUILD), "--rounds", "2", "--seconds",
                               "0.1", "--warmup", "0.02", "--tries", "1", "--only", "again", "--markdown",
                               "--scenario", "200x1x64", "--server",
                               f"again={program('bench_epoll_floor')} --port {{port}}")
        self.assertEqual(done.returncode, 0, done.stderr)
        row = done.stdout.splitlines()[2]
        self.assertRegex(row, r"^\| 200 × 1 × 64 B binary +\| +[\d,]+ \| +[\d,]+ \| +"
                              r"\d+\.\d\d \(\d+\.\d\d to \d+\.\d\d\) \| +≤ 1\.25 \|$")

    def test_idle_memory_counts_bytes(self):
        done = self.run_script("idle_memory", "--server",
                               f"{program('bench_epoll_floor')} --port {{port}}", "--connections",
                               "500", "--settle", "0.1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLess(int(done.stdout.split()[0]), 1000)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=BUILD)
    known, rest = parser.parse_known_args()
    BUILD = known.build.resolve()
    unittest.main(argv=[sys.argv[0], *rest])
