"""Much at once through `hotline call`, and ends that do not keep up."""

import contextlib
import os
import signal
import threading
import time
import unittest

from calling import CLEAN, FAILED, call, start
import hotline_server
from hotline_server import PATIENCE, Server, sanitized
from raw_peer import TEXT, echoed, eventually
from raw_server import RawServer

MIB = 1 << 20


def memory(child):
    """Bytes of anonymous memory."""
    with open(f"/proc/{child.pid}/status", encoding="ascii") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("RssAnon:"))


class Flow(unittest.TestCase):
    def test_ten_mebibytes_of_lines_both_ways(self):
        lines = b"".join(b"%063d\n" % number for number in range(10 * MIB // 64))
        with Server() as server:
            ended = call(server.url, lines=lines)
        self.assertEqual((ended.status, ended.errors), (CLEAN, ""))
        self.assertTrue(ended.output == lines)

    def test_a_line_of_ten_mebibytes_both_ways(self):
        line = os.urandom(5 * MIB).hex().encode() + b"\n"
        with Server("--message-limit", "16M") as server:
            ended = call("--once", server.url, lines=line)
        self.assertEqual((ended.status, ended.errors), (CLEAN, ""))
        self.assertTrue(ended.output == line)

    def test_a_line_has_its_limit(self):
        with Server() as server:
            for line, said in ((b"12345678\n", ""), (b"12345678", ""), (b"123456789\n", "line 2 is"),
                               (b"123456789", "line 2 is"), (b"x" * (1 << 20), "line 2 is")):
                with self.subTest(line[:20]):
                    ended = call("--message-limit", "8", server.url, lines=b"first\n" + line)
                    self.assertEqual(ended.status, FAILED if said else CLEAN)
                    self.assertIn(said, ended.errors)
                    self.assertEqual(ended.errors.count("\n"), 1 if said else 0)
                    self.assertTrue(ended.output.startswith(b"first\n"), "what came before is sent")

    def test_a_line_without_an_end_takes_no_more_memory_than_its_limit(self):
        if sanitized():
            self.skipTest("memory is the sanitizer's business")
        with Server() as server:
            child = start("--message-limit", "4M", server.url)
            most = 0
            try:
                for _ in range(64):
                    child.stdin.write(b"x" * MIB)
                    most = max(most, memory(child))
            except BrokenPipeError:
                pass
            with contextlib.suppress(BrokenPipeError):
                child.stdin.close()
            self.assertEqual(child.wait(PATIENCE), FAILED)
            self.assertIn("--message-limit", child.stderr.read().decode())
            self.assertLess(most, 32 * MIB)
            child.stdout.close()
            child.stderr.close()

    def test_a_reader_that_stops_holds_the_server_back(self):
        sent = []

        def talk(caller):
            caller.upgrade()
            caller.socket.settimeout(1)
            message = echoed(TEXT, b"x" * 65000)
            try:
                while len(sent) < 4000:
                    caller.send(message)
                    sent.append(len(message))
            except TimeoutError:
                pass
            self.stopped.set()
            caller.socket.settimeout(PATIENCE)
            while caller.socket.recv(1 << 16):
                pass

        self.stopped = threading.Event()
        with RawServer(talk) as server:
            child = start(server.url)
            self.assertTrue(self.stopped.wait(PATIENCE))
            self.assertLess(sum(sent), 40 * MIB, "the server was held back")
            if not sanitized():
                self.assertLess(memory(child), 16 * MIB)
            # Nobody reads, and yet it hears of the interrupt.
            child.send_signal(signal.SIGINT)
            self.assertEqual(child.wait(PATIENCE), CLEAN)
            child.communicate()

    def test_a_server_that_stops_holds_the_input_back(self):
        def talk(caller):
            caller.upgrade()
            self.done.wait(PATIENCE)

        self.done = threading.Event()
        with RawServer(talk) as server:
            child = start(server.url)
            os.set_blocking(child.stdin.fileno(), False)
            taken = 0

            def put():
                nonlocal taken
                try:
                    taken += os.write(child.stdin.fileno(), b"x" * 1023 + b"\n")
                except BlockingIOError:
                    return 0
                return 1

            quiet = time.monotonic()
            while time.monotonic() < quiet + 1 and taken < 64 * MIB:
                if put():
                    quiet = time.monotonic()
                else:
                    time.sleep(0.02)
            self.assertLess(taken, 64 * MIB)
            if not sanitized():
                self.assertLess(memory(child), 16 * MIB)
            child.send_signal(signal.SIGINT)
            self.assertTrue(eventually(lambda: child.poll() is not None))
            self.done.set()
            child.stdin.close()
            child.stdout.close()
            child.stderr.close()

    def test_notes_that_nobody_reads_hold_nothing_up(self):
        def talk(caller):
            caller.upgrade()
            for _ in range(20000):
                caller.send(echoed(9, b"there?"))
                caller.frame()
            caller.send(echoed(TEXT, b"after all"))
            list(caller.messages())

        with RawServer(talk) as server:
            child = start("--verbose", "--once", server.url)
            self.assertEqual(child.stdout.readline(), b"after all\n")
            self.assertEqual(child.wait(PATIENCE), CLEAN)
            child.communicate()


if __name__ == "__main__":
    hotline_server.main()
