"""The programs of examples/, talked to on loopback.

    examples_test.py DIRECTORY_OF_PROGRAMS [TEST...]
"""
import json
import pathlib
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import raw_peer
from certificates import make_certificate
from hotline_server import PATIENCE
from raw_peer import TEXT, Peer
from raw_server import RawServer

DOCUMENTS = pathlib.Path(__file__).resolve().parent.parent.parent / "docs"
programs = pathlib.Path()


class Example:
    """A running example. It must end well: drained by SIGTERM, with status 0 and no complaint."""

    def __init__(self, name, *arguments):
        self.drained = False
        self.process = subprocess.Popen(
            [programs / f"example_{name}", "0", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.line()
        where = re.search(r"://127\.0\.0\.1:(\d+)(/\S*)", line)
        if not where:
            self.process.kill()
            raise AssertionError(f"{name} did not start: {line!r}, {self.process.communicate()}")
        self.port, self.path = int(where[1]), where[2]

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if failure:
            self.process.kill()
        self.drain()
        try:
            _, errors = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"it did not end: {self.process.communicate()}") from None
        if not failure and (self.process.returncode or errors):
            raise AssertionError(f"it ended with {self.process.returncode}, {errors}")

    def drain(self):
        """Asks it to end; once, since a second signal means at once."""
        if not self.drained:
            self.drained = True
            self.process.send_signal(signal.SIGTERM)

    def line(self):
        """The next line of what it says."""
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        return self.process.stdout.readline() if ready else ""

    def call(self, **changes):
        """A WebSocket connection."""
        peer = Peer(self)
        try:
            return peer.upgrade(**{"path": self.path, **changes})
        except AssertionError:
            peer.socket.close()
            raise


def say(peer, text):
    peer.send(raw_peer.frame(TEXT, text.encode()))


def heard(peer):
    """The next message: a text."""
    opcode, payload = peer.frame()
    if opcode != TEXT:
        raise AssertionError(f"opcode {opcode}, {payload!r}")
    return payload.decode()


class ExamplesTest(unittest.TestCase):
    def test_every_example_has_a_test(self):
        sources = pathlib.Path(__file__).resolve().parent.parent.parent / "examples"
        names = {source.stem for source in sources.glob("*.cc")} - {"echo"}
        self.assertEqual({name for name in names if not hasattr(self, f"test_{name}")}, set())
        for source in sources.glob("*.cc"):
            self.assertLessEqual(len(source.read_text().splitlines()), 60, source.name)

    def test_secure(self):
        with tempfile.TemporaryDirectory() as where:
            server = make_certificate(pathlib.Path(where))
            client = make_certificate(pathlib.Path(where), "somebody")
            with Example("secure", server.chain, server.key, client.chain) as example:
                context = ssl.create_default_context(cafile=server.chain)
                context.load_cert_chain(client.chain, client.key)
                with (socket.create_connection(("127.0.0.1", example.port), PATIENCE) as plain,
                      context.wrap_socket(plain, server_hostname="localhost") as line):
                    line.sendall(b"GET /who HTTP/1.1\r\nHost: localhost\r\n"
                                 b"Connection: close\r\n\r\n")
                    received = b"".join(iter(lambda: line.recv(4096), b""))
                self.assertTrue(received.endswith(b"\r\n\r\nTLSv1.3 CN=somebody\n"), received)

    def test_request(self):
        with Example("request") as example:
            with Peer(example) as stranger:
                stranger.send(raw_peer.upgrade_request(path=example.path))
                self.assertIn(b" 401 ", stranger.until(b"\r\n\r\n"))
                self.assertEqual(stranger.until(b"\n"), b"who are you?\n")
            with Peer(example) as browser:
                browser.send(b"GET /chat/red HTTP/1.1\r\nHost: localhost\r\nAuthorization: me\r\n\r\n")
                self.assertIn(b" 426 ", browser.until(b"\r\n\r\n"))
            with example.call(path="/chat/red%20sea", Authorization="me",
                              Sec_WebSocket_Protocol="chat.v1, chat.v2") as friend:
                self.assertEqual(heard(friend), "red sea welcomes you to chat.v2")
                say(friend, "hello")
                self.assertEqual(heard(friend), "red sea: hello")
            with example.call(Authorization="me") as friend:
                self.assertEqual(heard(friend), "blue welcomes you")
                friend.send(raw_peer.close(1000))
                self.assertEqual(friend.close_code(), 1000)

    def test_greeting(self):
        with Example("greeting") as example, Peer(example) as peer:
            whole = f"127.0.0.1:{peer.socket.getsockname()[1]}\n".encode()
            for name in ("ada", "bob"):
                peer.send(f"GET /greeting/{name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                self.assertIn(b" 200 ", peer.until(b"\r\n\r\n"))
                self.assertEqual(peer.until(b"\n"), f"hello {name}, ".encode() + whole)

    def test_by_hand(self):
        with Example("by_hand") as example:
            with Peer(example) as browser:
                browser.send(b"GET /by-hand HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertIn(b" 400 ", browser.until(b"\r\n\r\n"))
            with Peer(example) as peer:
                peer.send(raw_peer.upgrade_request(path=example.path))
                head = peer.until(b"\r\n\r\n").decode()
                self.assertIn(f"Sec-WebSocket-Accept: {raw_peer.SAMPLE_ACCEPT}\r\n", head)
                self.assertEqual(heard(peer), "hello")
                self.assertEqual(peer.close_code(), 1000)
                peer.send(raw_peer.close(1000))
                self.assertEqual(example.line(), "the other side sent 8 bytes\n")
                self.assertEqual(peer.rest(), b"")

    def test_too_late(self):
        with Example("too_late") as example, Peer(example) as peer:
            for _ in range(2):  # and the connection lives on
                peer.send(b"GET /too-late HTTP/1.1\r\nHost: localhost\r\n\r\n")
                peer.until(b"here is your answer\n")
                self.assertRegex(example.line(), "^no hijack: .*answered")

    def test_goodbye(self):
        with Example("goodbye") as example:
            with example.call() as peer:
                say(peer, "hello")
                self.assertEqual(heard(peer), "you said: hello")
                say(peer, "bye")
                self.assertEqual(peer.frame()[1],
                                 raw_peer.close_payload(1000, b"it was a pleasure"))
                peer.send(raw_peer.close(1000))
                self.assertEqual(example.line(), "we hung up: 1000, it was a pleasure\n")
            with example.call() as peer:
                peer.send(raw_peer.close(4000, b"dinner"))
                self.assertEqual(example.line(), "they hung up: 4000, dinner\n")

    def test_patience(self):
        with Example("patience") as example, example.call() as peer:
            self.assertEqual([heard(peer) for _ in range(2)], ["are you still there?"] * 2)
            say(peer, "yes")
            while (said := heard(peer)) == "are you still there?":
                pass
            self.assertEqual(said, "I heard: yes")
            peer.send(raw_peer.close(1000))

    def test_limits(self):
        with Example("limits") as example:
            for path, size in (("/chat", 4 << 10), ("/upload", 64 << 20)):
                with example.call(path=path) as peer:
                    peer.send(raw_peer.frame(TEXT, b"*" * 4096))
                    self.assertEqual(peer.frame(), (TEXT, b"*" * 4096))
                    peer.send(raw_peer.header(TEXT, size + 1))
                    self.assertEqual(peer.close_code(), 1009)

    def test_pages(self):
        with Example("pages") as example:
            for origin in ("https://example.org", "https://chat.example.org"):
                with example.call(Origin=origin, Sec_WebSocket_Protocol="chat.v1") as peer:
                    self.assertEqual(heard(peer), "let us speak chat.v1")
            with Peer(example) as peer:
                peer.send(raw_peer.upgrade_request(path=example.path, Origin="https://example.com"))
                self.assertIn(b" 403 ", peer.until(b"\r\n\r\n"))

    def test_behind_a_proxy(self):
        def answer(*fields):
            lines = ["GET /who HTTP/1.1", "Host: example.org", *fields, "", ""]
            with Peer(example) as peer:
                peer.send("\r\n".join(lines).encode())
                peer.until(b"\r\n\r\n")
                return peer.until(b"\n")

        with Example("behind_a_proxy") as example:
            self.assertEqual(answer(), b"127.0.0.1 calls http://example.org\n")
            self.assertEqual(answer("X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https"),
                             b"192.0.2.7 calls https://example.org\n")
            with example.call(Host="localhost", Origin="http://localhost") as peer:
                say(peer, "hello")
                self.assertEqual(heard(peer), "hello")
                peer.send(raw_peer.close(1000))

    def test_middleware(self):
        def ask(peer, path, *fields):
            peer.send("\r\n".join((f"GET {path} HTTP/1.1", "Host: localhost", *fields, "", "")).encode())
            return peer.until(b"\r\n\r\n")

        with Example("middleware") as example, Peer(example) as peer:
            refused = ask(peer, "/me")
            self.assertIn(b" 401 ", refused)
            self.assertIn(b"WWW-Authenticate: Bearer", refused)
            self.assertEqual(peer.until(b"\n"), b"who are you?\n")
            self.assertRegex(example.line(), r"^/me took [0-9.e+-]+ us$")
            self.assertIn(b" 401 ", ask(peer, "/me", "Authorization: Bearer sesamE"))
            peer.until(b"\n")
            example.line()
            self.assertIn(b" 200 ", ask(peer, "/me?name=J%C3%BCrgen", "Authorization: Bearer sesame"))
            self.assertEqual(peer.until(b"\n"), "hello, J\u00fcrgen\n".encode())
            self.assertRegex(example.line(), r"^/me took ")
            self.assertIn(b" 404 ", ask(peer, "/nowhere"))
            self.assertRegex(example.line(), r"^/nowhere took ")

    def test_routes(self):
        """The table of docs/routes.md."""
        table = (DOCUMENTS / "routes.md").read_text().partition("| is served by |")[2]
        rows = re.findall(r"^\| `(\w+) (\S+)`(?:, `Host: (\S+)`)? \| (.+) \|$",
                          table.partition("\n\n")[0], re.MULTILINE)
        self.assertGreater(len(rows), 10)
        with Example("routes") as example, Peer(example) as peer:
            for method, path, host, served in rows:
                with self.subTest(f"{method} {path}"):
                    peer.send(f"{method} {path} HTTP/1.1\r\nHost: {host or 'localhost'}\r\n\r\n"
                              .encode())
                    head = peer.until(b"\r\n\r\n").decode()
                    size = int(re.search(r"Content-Length: (\d+)", head)[1])
                    body = peer.exactly(size).decode()
                    status = re.match(r"HTTP/1.1 (\d+)", head)[1]
                    if not served[0].isdigit():
                        self.assertEqual((status, body), ("200", served + "\n"))
                        continue
                    self.assertEqual(status, served[:3])
                    for allowed in re.findall(r"`Allow: (.*)`", served):
                        self.assertIn(f"Allow: {allowed}\r\n", head)
                    for place in re.findall(r"to `(.*)`", served):
                        self.assertIn(f"Location: {place}\r\n", head)

    def test_lines(self):
        with Example("lines") as example, Peer(example) as peer:
            request = f"GET {example.path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            peer.send(request.encode() + b"already there\nin two ")
            self.assertEqual(peer.until(b"\n"), b"say something\n")
            self.assertEqual(peer.until(b"\n"), b"ereht ydaerla\n")
            peer.send(b"pieces\none\ntwo\n")
            self.assertEqual(peer.until(b"\n"), b"seceip owt ni\n")
            self.assertEqual(peer.until(b"two"[::-1] + b"\n"), b"eno\nowt\n")
            peer.send(b"\n")
            self.assertEqual(peer.rest(), b"")

    def test_ticker(self):
        with Example("ticker") as example:
            with example.call() as peer:
                say(peer, "nobody listens")
                self.assertEqual([heard(peer) for _ in range(3)], ["1", "2", "3"])
                peer.send(raw_peer.close(1001))
                while (frame := peer.frame())[0] == TEXT:
                    pass
                self.assertEqual(frame, (raw_peer.CLOSE, raw_peer.close_payload(1001)))
            self.assertEqual(example.line(), "closed: 1001\n")
            with example.call() as peer:
                self.assertEqual(heard(peer), "1")
                example.drain()
                while (frame := peer.frame())[0] == TEXT:
                    pass
                self.assertEqual(frame[1][:2], raw_peer.close_payload(1001))
                peer.send(raw_peer.close(1001))
                self.assertEqual(peer.rest(), b"")

    def test_feed(self):
        with Example("feed") as example, example.call() as peer:
            say(peer, "tea")
            name, price = heard(peer).split()
            self.assertEqual(name, "tea")
            say(peer, "coffee")
            seen = [heard(peer).split() for _ in range(8)]
            self.assertEqual({name for name, _ in seen}, {"tea", "coffee"})
            self.assertGreater(int(seen[-1][1]), int(price))
            peer.send(raw_peer.close(1000))

    def test_rooms(self):
        with Example("rooms") as example:
            with example.call(path="/red") as one, example.call(path="/red") as two, \
                    example.call(path="/blue") as three:
                # An echo of one's own words shows that one has entered.
                for number, peer in enumerate((one, two), 1):
                    say(peer, "hello")
                    while (line := heard(peer)) != f"{number}: hello":
                        self.assertRegex(line, "^1: ")
                say(three, "is it blue?")
                self.assertEqual(heard(three), "1: is it blue?")
                say(one, "bye")
                self.assertEqual(heard(two), "1: bye")

    def test_tunnel(self):
        with socket.socket() as service:
            service.settimeout(PATIENCE)
            service.bind(("127.0.0.1", 0))
            service.listen()
            with Example("tunnel", str(service.getsockname()[1])) as example:
                for service_ends in (False, True):
                    with example.call() as peer:
                        with service.accept()[0] as connection:
                            connection.settimeout(PATIENCE)
                            say(peer, "up")
                            self.assertEqual(connection.recv(100), b"up")
                            connection.sendall(b"down")
                            self.assertEqual(peer.frame(), (2, b"down"))
                            if not service_ends:
                                peer.send(raw_peer.close(1000))
                                self.assertEqual(connection.recv(100), b"")
                        self.assertEqual(peer.close_code(), 1000)

    def test_progress(self):
        with Example("progress") as example, example.call() as peer:
            say(peer, "20")
            lines = []
            while not lines or not lines[-1].startswith("counted"):
                lines.append(heard(peer))
            self.assertEqual(lines[-1], "counted to 20")
            percents = [int(line.split()[0]) for line in lines[:-1]]
            self.assertEqual(percents, sorted(percents))
            self.assertEqual(percents[-1], 100)
            say(peer, "many")
            self.assertEqual(peer.close_code(), 1008)

    def test_asio_client(self):
        with socket.socket() as service:
            service.settimeout(PATIENCE)
            service.bind(("127.0.0.1", 0))  # and does not listen yet

            def serve():
                connection, _ = service.accept()
                with connection, connection.makefile("rw") as stream:
                    for line in stream:
                        stream.write(line.upper())
                        stream.flush()

            with Example("asio_client", str(service.getsockname()[1])) as example:
                with example.call() as peer:
                    say(peer, "hello")
                    thread = threading.Timer(0.2, lambda: (service.listen(), serve()))
                    thread.start()
                    self.assertEqual(heard(peer), "HELLO")
                    say(peer, "and again")
                    self.assertEqual(heard(peer), "AND AGAIN")
                thread.join(PATIENCE)
                self.assertFalse(thread.is_alive(), "the service's connection is still open")
                with example.call() as peer:
                    say(peer, "nobody answers")
                    with service.accept()[0] as connection:
                        connection.recv(100)
                    self.assertEqual(peer.close_code(), 1011)
                # What the handler threw is logged, and is all that is.
                self.assertRegex(example.process.stderr.readline(), "End of file")

    def test_beast_server(self):
        with Example("beast_server") as example:
            with Peer(example) as browser:
                browser.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
                for _ in range(2):
                    self.assertIn(b" 200 ", browser.until(b"\r\n\r\n"))
                    self.assertEqual(browser.until(b"\n"), b"hello from Beast\n")
                browser.send(raw_peer.upgrade_request(path="/echo", Origin="http://evil.example"))
                self.assertIn(b" 403 ", browser.until(b"\r\n\r\n"))
                self.assertIn(b"evil.example", browser.rest())
            with example.call() as peer, example.call() as other:
                say(peer, "hello")
                self.assertEqual(heard(peer), "hello")
                say(other, "me too")
                self.assertEqual(heard(other), "me too")
                peer.send(raw_peer.close(1000))
                self.assertEqual(peer.close_code(), 1000)
                example.drain()
                self.assertEqual(other.close_code(), 1001)
                other.send(raw_peer.close(1001))
                self.assertEqual(other.rest(), b"")

    def test_asio_server(self):
        with Example("asio_server") as example, example.call() as peer:
            say(peer, "hello")
            self.assertEqual(heard(peer), "5")
            say(peer, " world")
            self.assertEqual(heard(peer), "11")
            example.drain()
            self.assertEqual(peer.close_code(), 1001)
            peer.send(raw_peer.close(1001))
            self.assertEqual(peer.rest(), b"")

    def test_json_service(self):
        with Example("json_service") as example, example.call() as peer:
            say(peer, '{"action": "add", "numbers": [1, 2.5]}')
            self.assertEqual(json.loads(heard(peer)), {"result": 3.5})
            say(peer, '{"numbers": [1, 2], "action": "count", "note": "two"}')
            self.assertEqual(json.loads(heard(peer)), {"result": 2, "note": "two"})
            say(peer, '{"action": "add", "numbers": [1, "2"]}')
            opcode, payload = peer.frame()
            self.assertEqual((opcode, payload[:2]), (raw_peer.CLOSE, raw_peer.close_payload(1007)))
            self.assertIn(b"numbers[1]: a number is expected, not a string", payload)
            peer.send(raw_peer.close(1007))

    def test_own_test(self):
        answer = subprocess.run([programs / "example_own_test"], capture_output=True, text=True,
                                timeout=PATIENCE, check=False)
        self.assertEqual((answer.returncode, answer.stdout, answer.stderr), (0, "well\n", ""))

    def run_client(self, name, *arguments, status=0):
        """A client's whole life: what it prints, and its complaints."""
        answer = subprocess.run([programs / f"example_{name}", *arguments], capture_output=True,
                                text=True, timeout=PATIENCE, check=False)
        self.assertEqual(answer.returncode, status, answer)
        return answer.stdout, answer.stderr

    def test_client(self):
        def talk(caller):
            caller.upgrade(Sec_WebSocket_Protocol="echo")
            self.assertEqual(caller.field("Authorization"), "Bearer sesame")
            for opcode, payload in caller.messages():
                caller.send(raw_peer.echoed(opcode, payload.upper()))

        with RawServer(talk) as server:
            self.assertEqual(self.run_client("client", server.url, "hello", "again"),
                             ("HELLO\nAGAIN\n", ""))

        def refuse(caller):
            caller.read_request()
            caller.send(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\n"
                        b"Content-Length: 5\r\n\r\nwho?\n")

        with RawServer(refuse) as server:
            self.assertEqual(self.run_client("client", server.url, status=1),
                             ("", f"{server.url}: 401 Unauthorized: the upgrade was refused\n"
                                  "who?\nBearer\n"))
        self.assertIn("it begins with ws://", self.run_client("client", "nowhere", status=1)[1])

    def test_follow(self):
        number = iter(range(10))

        def talk(caller):
            match next(number):
                case 0:
                    caller.upgrade().send(raw_peer.echoed(TEXT, b"one"))
                    caller.close(1001, b"bye")
                case 1:
                    caller.read_request()
                    caller.reset()
                case 2:
                    caller.upgrade().send(raw_peer.echoed(TEXT, b"two"))
                    caller.close()
                case 3:
                    caller.read_request()
                    caller.send(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")

        with RawServer(talk) as server:
            lines = self.run_client("follow", server.url, status=1)[0].splitlines()
        self.assertEqual(lines[:3], ["connected", "one",
                                     "again soon: the connection has ended, 1001: bye"])
        self.assertRegex(lines[3], "^again soon: ws://.*reset")
        self.assertEqual(lines[4:], ["connected", "two", "again soon: the connection has ended, 1000",
                                     f"no use: {server.url}: 410 Gone: the upgrade was refused"])

    def test_dial_options(self):
        def talk(caller):
            with context.wrap_socket(caller.socket, server_side=True) as caller.socket:
                if "GET /moved " not in caller.read_request():
                    caller.send(b"HTTP/1.1 302 Found\r\nLocation: /moved\r\n"
                                b"Set-Cookie: id=1\r\nContent-Length: 0\r\n\r\n")
                    return
                self.assertEqual(caller.field("Cookie"), "id=1")
                self.assertEqual(caller.field("Origin"), "https://example.org")
                self.assertEqual(list(caller.upgrade().messages()), [])

        with tempfile.TemporaryDirectory() as directory:
            certificate = make_certificate(pathlib.Path(directory))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.chain, certificate.key)
            with RawServer(talk) as server:
                url = server.url.replace("ws:", "wss:")
                said, _ = self.run_client("dial_options", url, certificate.chain)
                self.assertIn("/nowhere",
                              self.run_client("dial_options", url, "/nowhere", status=1)[0])
        once = r"(name: \d+ us\n)?connect: \d+ us\ntls: \d+ us\nTLSv1\.3 with CN=localhost\n"
        self.assertRegex(said, f"^{once}{once}upgrade: \\d+ us\n101, 1 cookies\n$")

    def test_asio_client_is_drained(self):
        with socket.socket() as service:
            service.bind(("127.0.0.1", 0))  # and never listens
            with Example("asio_client", str(service.getsockname()[1])) as example:
                with example.call() as peer:
                    example.drain()
                    self.assertEqual(peer.close_code(), 1001)
                    peer.send(raw_peer.close(1001))
                    self.assertEqual(peer.rest(), b"")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    programs = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
