"""Thousands of connections in the middle of talking, and the server is told to end.

Each of them receives its echoes in order and without a gap, then 1001, then the end of the stream; the
server ends with status 0 in time.
"""

import pathlib
import resource
import select
import socket
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server
from hotline_server import PATIENCE
from raw_peer import CLOSE, TEXT, close, close_payload, frame, take_frame, upgrade_request

CONNECTIONS = 5000
IN_FLIGHT = 2
# Of ours; the server has as many, and raises its limit by itself.
OTHER_DESCRIPTORS = 100


def raise_descriptor_limit():
    """How many connections there can be."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + OTHER_DESCRIPTORS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted - OTHER_DESCRIPTORS


class Caller:
    """Says numbers, a few ahead of the echo, until it is hung up on; then it says goodbye."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.said = self.heard = 0
        self.close_payload = None
        self.over = False

    def begin(self):
        """The handshake, then the first numbers."""
        while b"\r\n\r\n" not in self.received:
            data = self.socket.recv(4096)
            if not data:
                raise AssertionError(f"hung up in the handshake: {self.received!r}")
            self.received += data
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise AssertionError(head)
        self.socket.setblocking(False)
        self.say_more()

    def say_more(self):
        messages = b""
        while self.said < self.heard + IN_FLIGHT:
            messages += frame(TEXT, b"%d" % self.said)
            self.said += 1
        self.socket.sendall(messages)

    def ready(self):
        data = self.socket.recv(4096)  # a reset would be a failure
        if not data:
            self.over = True
            return
        self.received += data
        before = self.heard
        while (taken := take_frame(self.received)) is not None:
            opcode, payload, self.received = taken
            if self.close_payload is not None:
                raise AssertionError(f"after the close came {opcode}, {payload!r}")
            if opcode == CLOSE:
                self.close_payload = payload
                self.socket.sendall(close(1001))
            elif (opcode, payload) == (TEXT, b"%d" % self.heard):
                self.heard += 1
            else:
                raise AssertionError(f"not the echo of {self.heard}: {opcode}, {payload!r}")
        if self.heard > before and self.close_payload is None:
            self.say_more()


class DrainUnderLoad(unittest.TestCase):
    def test_everybody_hears_the_echo_and_the_goodbye(self):
        count = raise_descriptor_limit()
        if hotline_server.sanitized():
            count = min(count, 1000)
        if count < CONNECTIONS:
            print(f"  {count} connections, not {CONNECTIONS}", file=sys.stderr)
        with hotline_server.Server(threads=2) as server:
            callers = self.call(server, count)
            poll = select.epoll()
            by_descriptor = {caller.socket.fileno(): caller for caller in callers}
            for descriptor in by_descriptor:
                poll.register(descriptor, select.EPOLLIN)
            self.talk(poll, by_descriptor, until=lambda: min(c.heard for c in callers) >= 3)
            heard = sum(caller.heard for caller in callers)

            began = time.monotonic()
            server.signal()
            self.talk(poll, by_descriptor, until=lambda: not by_descriptor)
            took = time.monotonic() - began
            self.assertEqual(server.stop(), (0, ""))

        wrong = [c.close_payload for c in callers if (c.close_payload or b"")[:2]
                 != close_payload(1001)]
        self.assertEqual(wrong, [])
        more = sum(caller.heard for caller in callers) - heard
        print(f"  {count} connections: {heard} echoes before the drain and {more} in it; all had "
              f"left after {took:.2f} s", file=sys.stderr)

    def call(self, server, count):
        callers = []
        for _ in range(count):
            callers.append(Caller(server.port))
            self.addCleanup(callers[-1].socket.close)
            callers[-1].socket.sendall(upgrade_request())
        for caller in callers:
            caller.begin()
        return callers

    def talk(self, poll, by_descriptor, until):
        end = time.monotonic() + PATIENCE
        while not until():
            self.assertLess(time.monotonic(), end, f"{len(by_descriptor)} are still there")
            for descriptor, _ in poll.poll(0.1):
                caller = by_descriptor[descriptor]
                caller.ready()
                if caller.over:
                    self.assertEqual(caller.received, b"", "the stream ends within a frame")
                    poll.unregister(descriptor)
                    del by_descriptor[descriptor]


if __name__ == "__main__":
    hotline_server.main()
