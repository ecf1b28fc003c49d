"""The command line: what it explains, what it refuses, and how it says so."""

import pathlib
import re
import socket
import subprocess
import tempfile
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

    def test_what_cannot_be_written_is_told(self):
        for arguments in (["--help"], ["call", "--help"], ["--version"], ["completions", "bash"]):
            with self.subTest(arguments), open("/dev/full", "w", encoding="ascii") as full:
                ended = subprocess.run([hotline_server.program(), *arguments], stdout=full,
                                       stderr=subprocess.PIPE, text=True, check=False,
                                       timeout=hotline_server.PATIENCE)
                self.assertEqual((ended.returncode, ended.stderr),
                                 (1, "hotline: standard output cannot be written\n"))

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
                (["serve", "--log-level", "loud"], ["--log-level", "loud", "warning"]),
                (["serve", "--log-level", "off", "--log-level", "info"], ["--log-level"]),
                (["serve", "--log-format", "xml"], ["--log-format", "xml", "text or json"]),
                (["serve", "--listen", "unix:"], ["--listen", "unix:"]),
                (["serve", "--listen", "127.0.0.1:0", "--listen", "80"], ["--listen", '"80"']),
                (["serve", "--idle-timeout", "30"], ["--idle-timeout", '"30"', "30s"]),
                (["serve", "--http-idle-timeout", "0s"], ["--http-idle-timeout: ", '"0s"']),
                (["serve", "--idle-timeout", "0s"], ["--idle-timeout", '"0s"']),
                (["serve", "--ping-interval", "2y"], ["--ping-interval", "2y"]),
                (["serve", "--handshake-timeout", "366d"], ["--handshake-timeout", "366d"]),
                (["serve", "--drain-jitter", "-1s"], ["--drain-jitter"]),
                (["serve", "--drain-jitter", "20s"], ["--drain-jitter: ", "--drain-timeout"]),
                (["serve", "--max-connections", "0"], ["--max-connections", '"0"']),
                (["serve", "--max-connections-per-address", "x"], ["-per-address", '"x"']),
                (["serve", "--origin", "example.org"], ["--origin: ", "example.org"]),
                (["serve", "--origin", "*"], ["--origin: ", "*", "any"]),
                (["serve", "--trusted-proxy", "10.0.0.0/33"], ["--trusted-proxy: ", "10.0.0.0/33"]),
                (["serve", "--proxy-protocol", "--listen", "127.0.0.1:0"],
                 ["--proxy-protocol: ", "--trusted-proxy"]),
                (["serve", "--proxy-protocol=yes"], ["--proxy-protocol: ", '"yes"']),
                (["serve", "--drain-jitter", "1y"], ["--drain-jitter: ", " is not a time up to "]),
                (["serve", "--host", "https://example.org"], ["--host: ", "https://example.org"]),
                (["serve", "--host", "example.org:80"], ["--host: ", "example.org:80"]),
                (["serve", "--host", "*.example.org"], ["--host: ", "*.example.org"]),
                (["serve", "--host", "--proxy-protocol"], ["--host: ", "--proxy-protocol"]),
                (["serve", "--config", ""], ["--config: "]),
                (["serve", "--metrics-listen", "9000"], ["--metrics-listen", "9000"])):
            with self.subTest(arguments=arguments):
                ended = run(*arguments)
                self.assertEqual(ended.returncode, 2)
                self.assert_one_sentence(ended)
                for word in named:
                    self.assertIn(word, ended.stderr)

    def test_what_is_wrong_with_a_word_is_said_in_our_own_words(self):
        for arguments, said in (
                (["sing"], '"sing" is not a command: serve, call or completions'),
                (["serve", "--lsiten", "127.0.0.1:0"], "--lsiten is not an option"),
                (["serve", "8080"], '"8080" was not expected'),
                (["call", "localhost", "--nope"], "--nope is not an option"),
                (["call", "localhost", "again"], '"again" was not expected'),
                (["serve", "--listen"], "--listen: a value is missing"),
                (["serve", "--threads", "1", "--threads", "2"], "--threads: given more than once"),
                (["serve", "--tls-cert", "/", "--tls-key", "/"],
                 '--tls-cert: "/" cannot be read: Is a directory')):
            with self.subTest(arguments):
                ended = run(*arguments)
                self.assertEqual(ended.returncode, 2)
                self.assert_one_sentence(ended)
                self.assertIn(f"hotline: {said} (see hotline ", ended.stderr)

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

    def test_a_directory_or_file_that_cannot_be_read_is_named(self):
        for arguments in (["--static", "/no/such/directory"], ["--config", "/no/such/file"],
                          ["--config", "/"]):
            with self.subTest(arguments):
                ended = run("serve", "--listen", "127.0.0.1:0", *arguments)
                self.assertEqual(ended.returncode, 1)
                self.assert_one_sentence(ended)
                self.assertIn(arguments[-1], ended.stderr)
                if arguments[0] == "--static":
                    self.assertIn("hotline: --static: ", ended.stderr)

    def test_a_unix_socket_that_is_alive_is_left_alone(self):
        with tempfile.TemporaryDirectory() as directory:
            path = directory + "/socket"
            with hotline_server.Server(listen="unix:" + path) as server:
                ended = run("serve", "--listen", "unix:" + path)
                self.assertEqual(ended.returncode, 1)
                self.assert_one_sentence(ended)
                self.assertIn(path, ended.stderr)
                with socket.socket(socket.AF_UNIX) as peer:
                    peer.settimeout(hotline_server.PATIENCE)
                    peer.connect(path)
                    peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    self.assertTrue(peer.recv(4096).startswith(b"HTTP/1.1 200 "))
                self.assertEqual(server.stop(), (0, ""))
            self.assertFalse(pathlib.Path(path).exists(), "it takes its socket with it")

    def test_several_places_are_listened_on(self):
        with hotline_server.Server("--listen", "127.0.0.1:0") as server:
            ports = re.findall(r"ws://127\.0\.0\.1:(\d+)/echo", server.line)
            self.assertEqual(len(set(ports)), 2, server.line)
            for port in ports:
                with socket.create_connection(("127.0.0.1", int(port))):
                    pass

    def test_every_option_is_explained_in_lines_that_fit(self):
        ended = run("serve", "--help")
        for line in ended.stdout.splitlines():
            self.assertLessEqual(len(line), 100, line)
        for name in ("listen", "threads", "host", "origin", "static", "message-limit",
                     "fragment-limit", "max-connections", "max-connections-per-address",
                     "connection-rate", "connection-burst", "handshake-timeout", "http-idle-timeout", "idle-timeout",
                     "ping-interval", "drain-timeout", "drain-jitter", "trusted-proxy",
                     "proxy-protocol", "log-level", "log-format", "metrics-listen", "config"):
            self.assertRegex(ended.stdout, rf"(?m)^  --{name} ")

    def test_units_of_sizes(self):
        for text, size in (("1000", 1000), ("1k", 1024), ("2K", 2048), ("1M", 1 << 20)):
            with self.subTest(limit=text):
                with hotline_server.Server("--message-limit", text) as server, Peer(server) as peer:
                    peer.upgrade().send(frame(TEXT, b"*" * size) + frame(TEXT, b"*" * (size + 1)))
                    self.assertEqual(len(peer.frame()[1]), size)
                    self.assertEqual(peer.close_code(), 1009)



class ConfigFile(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.path = self.directory.name + "/hotline.toml"

    def write(self, text):
        pathlib.Path(self.path).write_text(text)

    def test_it_sets_what_the_command_line_does_not(self):
        self.write('[serve]\nmessage-limit = "1k"\nfragment-limit = 3\nthreads = 0x7fff\n'
                   'origin = ["https://a.example", "https://b.example"]\n')
        ended = run("serve", "--config", self.path, "--listen", "127.0.0.1:0")
        self.assertEqual(ended.returncode, 2, "too many threads, by the file")
        self.assertRegex(ended.stderr, r"\Ahotline: " + re.escape(self.path) + r":4: threads: ")
        self.write('[serve]\nmessage-limit = "1k"\nfragment-limit = 3\n'
                   'origin = ["https://a.example", "https://b.example"]\n')
        with hotline_server.Server("--config", self.path, "--message-limit", "2k") as server:
            with Peer(server) as peer:
                peer.upgrade(origin="https://b.example")
                peer.send(frame(TEXT, b"*" * 2048))
                self.assertEqual(len(peer.frame()[1]), 2048)
                peer.send(frame(TEXT, b"a", fin=False) + frame(0, b"b", fin=False) * 3)
                self.assertEqual(peer.close_code(), 1008)

    def test_what_is_wrong_in_it_is_told_with_its_line(self):
        for text, line, words in (("[serve]\n\nlistens = 3\n", 3, ["listens"]),
                                  ("[serve]\nlisten = 3\n", 2, ["listen", "a text"]),
                                  ("[serve\n", 1, [])):
            with self.subTest(text):
                self.write(text)
                ended = run("serve", "--config", self.path)
                self.assertEqual((ended.returncode, ended.stdout), (2, ""))
                self.assertRegex(ended.stderr, r"\Ahotline: [^\n]+\n\Z")
                self.assertIn(f"{self.path}:{line}: ", ended.stderr)
                for word in words:
                    self.assertIn(word, ended.stderr)

    def test_what_shows_only_later_is_told_with_its_line_too(self):
        for text, place, words in (
                ('origin = ["https://a.example",\n "*"]\n', ":3: origin: ", ['"*"']),
                ('trusted-proxy = "10.0.0.0/33"\n', ":3: trusted-proxy: ", ["10.0.0.0/33"]),
                ('drain-jitter = "20s"\n', ":3: drain-jitter: ", ["--drain-timeout"]),
                ("proxy-protocol = true\n", ":3: proxy-protocol: ", ["--trusted-proxy"]),
                ('tls-cert = "/nowhere"\n', ":3: tls-cert: ", ["--tls-key"]),
                ('tls-cert = "/nowhere"\ntls-key = "/nowhere"\n', ":3: tls-cert: ",
                 ['"/nowhere"'])):
            with self.subTest(text):
                self.write('[serve]\nlisten = "127.0.0.1:0"\n' + text)
                ended = run("serve", "--config", self.path)
                self.assertEqual((ended.returncode, ended.stdout), (2, ""))
                self.assertRegex(ended.stderr, r"\Ahotline: [^\n]+\n\Z")
                self.assertIn(self.path + place, ended.stderr)
                for word in words:
                    self.assertIn(word, ended.stderr)
        self.write('[serve]\norigin = "https://a.example"\ndrain-jitter = "1s"\n')
        ended = run("serve", "--config", self.path, "--origin", "*")
        self.assertIn("hotline: --origin: ", ended.stderr, "it is the command line that is wrong")

    def test_the_one_that_is_installed_is_good(self):
        example = pathlib.Path(__file__).resolve().parent.parent.parent / "packaging/hotline.toml"
        text = example.read_text().replace('listen = "systemd"', 'listen = "127.0.0.1:0"')
        self.write(re.sub(r"(?m)^# (?=[a-z-]+ = )", "", text).replace("9464", "0"))
        server = subprocess.Popen([hotline_server.program(), "serve", "--config", self.path],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            self.assertIn("ws://127.0.0.1:", server.stdout.readline())
            server.terminate()
            _, errors = server.communicate(timeout=hotline_server.PATIENCE)
            self.assertEqual((server.returncode, errors), (0, ""))
        finally:
            server.kill()
            server.communicate()


if __name__ == "__main__":
    hotline_server.main()
