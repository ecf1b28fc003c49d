"""The command line: what it explains, what it refuses, and how it says so."""

import pathlib
import re
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server  # noqa: E402
from hotline_server import run  # noqa: E402
from raw_peer import TEXT, Peer, frame  # noqa: E402


class CommandLine(unittest.TestCase):
    def assert_one_sentence(self, ended):
        self.assertEqual(ended.stdout, "")
        self.assertRegex(ended.stderr, r"\Ahotline: [^\n]+\n\Z")

    def test_help_goes_to_standard_output(self):
        for arguments, words in ((["--help"], ["serve", "--help", "--version"]),
                                 (["serve", "--help"], ["--listen", "--threads", "--message-limit",
                                                        "--fragment-limit", "--log-level"])):
            with self.subTest(arguments=arguments):
                ended = run(*arguments)
                self.assertEqual((ended.returncode, ended.stderr), (0, ""))
                for word in words:
                    self.assertIn(word, ended.stdout)

    def test_version_is_one_line(self):
        ended = run("--version")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertRegex(ended.stdout, r"\Ahotline \d+\.\d+\.\d+\n\Z")

    def test_what_is_not_understood_is_refused_in_one_sentence_that_names_it(self):
        for arguments, named in (
                ([], ["command", "serve"]),
                (["--loud"], ["--loud"]),
                (["sing"], ["sing"]),
                (["serve", "--loud"], ["--loud"]),
                (["serve", "8080"], ["8080"]),
                (["serve", "--listen", "8080"], ["--listen", "8080", "HOST:PORT"]),
                (["serve", "--listen", "127.0.0.1"], ["--listen", "127.0.0.1", "HOST:PORT"]),
                (["serve", "--listen", "127.0.0.1:"], ["--listen", "127.0.0.1:"]),
                (["serve", "--listen", "127.0.0.1:65536"], ["--listen", "127.0.0.1:65536"]),
                (["serve", "--listen", "127.0.0.1:-1"], ["--listen", "127.0.0.1:-1"]),
                (["serve", "--listen", "example.com:80"], ["--listen", "example.com:80"]),
                (["serve", "--listen", "::1:80"], ["--listen", "::1:80", "brackets"]),
                (["serve", "--listen"], ["--listen"]),
                (["serve", "--threads", "0"], ["--threads", "0"]),
                (["serve", "--threads", "-1"], ["--threads", "-1"]),
                (["serve", "--threads", "1025"], ["--threads", "1025"]),
                (["serve", "--threads", "two"], ["--threads", "two"]),
                (["serve", "--threads"], ["--threads"]),
                (["serve", "--message-limit", "0"], ["--message-limit", "0"]),
                (["serve", "--message-limit", "1T"], ["--message-limit", "1T"]),
                (["serve", "--message-limit", "-1"], ["--message-limit", "-1"]),
                (["serve", "--message-limit", "99999999999999999999"], ["--message-limit"]),
                (["serve", "--fragment-limit", "0"], ["--fragment-limit", "0"]),
                (["serve", "--fragment-limit", "few"], ["--fragment-limit", "few"]),
                (["serve", "--log-level", "loud"], ["--log-level", "loud", "warning"])):
            with self.subTest(arguments=arguments):
                ended = run(*arguments)
                self.assertEqual(ended.returncode, 2)
                self.assert_one_sentence(ended)
                for word in named:
                    self.assertIn(word, ended.stderr)

    def test_a_port_that_is_taken_is_named(self):
        for first in (1, 2):
            with hotline_server.Server(threads=first) as server:
                for second in ("1", "2"):
                    with self.subTest(first=first, second=second):
                        ended = run("serve", "--listen", server.authority, "--threads", second)
                        self.assertEqual(ended.returncode, 1)
                        self.assert_one_sentence(ended)
                        self.assertIn(server.authority, ended.stderr)
                with Peer(server) as peer:  # the first one has not noticed
                    peer.upgrade().send(frame(TEXT, b"still here"))
                    self.assertEqual(peer.frame(), (TEXT, b"still here"))
                self.assertEqual(server.stop(), (0, ""))

    def test_an_address_of_somebody_else_is_named(self):
        ended = run("serve", "--listen", "192.0.2.1:0")
        self.assertEqual(ended.returncode, 1)
        self.assert_one_sentence(ended)
        self.assertIn("192.0.2.1", ended.stderr)

    def test_the_first_line_says_where_and_how_to_stop(self):
        with hotline_server.Server() as server:
            self.assertRegex(server.line, r"ws://127\.0\.0\.1:[1-9]\d*/echo\b")
            self.assertIn("Ctrl-C", server.line)
            with socket.create_connection(("127.0.0.1", server.port)):
                pass  # it listens before it says so

    def test_localhost_and_ipv6_are_addresses(self):
        addresses = {"localhost:0": r"ws://127\.0\.0\.1:\d+/echo"}
        if pathlib.Path("/proc/net/if_inet6").exists() and "lo" in pathlib.Path(
                "/proc/net/if_inet6").read_text():
            addresses["[::1]:0"] = r"ws://\[::1\]:\d+/echo"
        for listen, line in addresses.items():
            with self.subTest(listen=listen), hotline_server.Server(listen=listen) as server:
                self.assertTrue(re.search(line, server.line), server.line)
                self.assertEqual(server.stop(), (0, ""))

    def test_units_of_sizes(self):
        for text, size in (("1000", 1000), ("1k", 1024), ("2K", 2048), ("1M", 1 << 20)):
            with self.subTest(limit=text):
                with hotline_server.Server("--message-limit", text) as server, Peer(server) as peer:
                    peer.upgrade().send(frame(TEXT, b"*" * size) + frame(TEXT, b"*" * (size + 1)))
                    self.assertEqual(len(peer.frame()[1]), size)
                    self.assertEqual(peer.close_code(), 1009)


if __name__ == "__main__":
    hotline_server.main()
