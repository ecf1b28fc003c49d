"""`hotline call` between pipes: lines out, messages in."""

import base64
import os
import pathlib
import tempfile
import unittest

from calling import CLEAN, FAILED, LOST, call, environment
import hotline_server
from hotline_server import Server
from raw_peer import BINARY, CONTINUATION, PING, TEXT, echoed
from raw_server import RawServer


class Pipes(unittest.TestCase):
    def assert_clean(self, ended, output):
        self.assertEqual((ended.status, ended.errors, ended.output), (CLEAN, "", output))

    def test_a_line_is_a_message_and_a_message_a_line(self):
        with Server() as server:
            self.assert_clean(call("--once", server.url, lines=b"hi\n"), b"hi\n")
            self.assert_clean(call(server.url, lines=b"one\n\ntwo\nthree"), b"one\n\ntwo\nthree\n")
            self.assert_clean(call(server.url, lines=b""), b"")
            self.assert_clean(call(f"127.0.0.1:{server.port}/echo", lines="Grüße\n".encode()),
                              "Grüße\n".encode())

    def test_what_comes_is_not_escaped_in_a_pipe(self):
        with Server() as server:
            self.assert_clean(call(server.url, lines=b"\x1b[1m\tx\r\n"), b"\x1b[1m\tx\r\n")

    def test_lines_are_binary_on_demand_and_come_back_with_nothing_behind(self):
        with Server() as server:
            self.assert_clean(call("--binary", server.url, lines=b"\xff\x00\nA\n"), b"\xff\x00A")

    def test_hexadecimal_both_ways(self):
        with Server() as server:
            self.assert_clean(call("--hex", server.url, lines=b"00ff41\n0x68 69\n"),
                              b"00 ff 41\n68 69\n")
            ended = call("--hex", server.url, lines=b"00\nxyz\n")
            self.assertEqual((ended.status, ended.output), (FAILED, b"00\n"))
            self.assertIn('line 2 is not hexadecimal: "xyz"', ended.errors)

    def test_json_is_indented_and_has_no_colours_in_a_pipe(self):
        with Server() as server:
            self.assert_clean(call("--json", server.url, lines=b'{"a":[1,{}]}\nno json\n'),
                              b'{\n  "a": [\n    1,\n    {}\n  ]\n}\nno json\n')

    def test_text_must_be_text(self):
        with Server() as server:
            ended = call(server.url, lines=b"good\n\xff\nnever sent\n")
            self.assertEqual((ended.status, ended.output), (FAILED, b"good\n"))
            self.assertEqual(ended.errors, "hotline: line 2 is not UTF-8 "
                                           "(--binary sends it as it is)\n")

    def test_the_request_has_what_was_asked_for(self):
        heads = []

        def talk(caller):
            heads.append(caller.read_request())
            heads.append(caller.field)
            list(caller.upgrade(Sec_WebSocket_Protocol="two").messages())

        with RawServer(talk) as server:
            ended = call("--header", "X-One: 1", "--header", "X-Two:2", "--origin",
                         "https://example.org", "--subprotocol", "one", "--subprotocol", "two",
                         "--user", "alice:secret", "--verbose", server.url + "path?q=1")
        self.assertEqual(ended.status, CLEAN, ended.errors)
        head, field = heads
        self.assertTrue(head.startswith("GET /path?q=1 HTTP/1.1\r\n"), head)
        self.assertEqual([field(name) for name in ("X-One", "X-Two", "Origin",
                                                   "Sec-WebSocket-Protocol")],
                         ["1", "2", "https://example.org", "one, two"])
        self.assertEqual(base64.b64decode(field("Authorization").split()[1]), b"alice:secret")
        self.assertIn("* subprotocol two\n", ended.errors)

    def test_connect_to_leads_elsewhere(self):
        with Server() as server:
            for place in (f"127.0.0.1:{server.port}", f"localhost:{server.port}"):
                ended = call("--connect-to", place, "--once", "--header", "Host: localhost",
                             "ws://example.invalid/echo", lines=b"hi\n")
                self.assert_clean(ended, b"hi\n")

    def test_a_unix_socket(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "socket")
            with Server(listen=f"unix:{path}"):
                self.assert_clean(call("--once", f"ws+unix:{path}:/echo", lines=b"hi\n"), b"hi\n")
                self.assert_clean(call("--once", "--connect-to", f"unix:{path}",
                                       "ws://localhost/echo", lines=b"hi\n"), b"hi\n")

    def test_a_proxy(self):
        asked = []

        def talk(caller):
            asked.append(caller.read_request().split("\r\n")[0])
            caller.head = ""
            caller.send(b"HTTP/1.1 200 OK\r\n\r\n")
            for opcode, payload in caller.upgrade().messages():
                caller.send(echoed(opcode, payload))

        with RawServer(talk) as server:
            proxy = f"http://127.0.0.1:{server.port}"
            self.assert_clean(call("--proxy", proxy, "ws://example.invalid/", lines=b"hi\n"),
                              b"hi\n")
            by_environment = environment(http_proxy=proxy)
            self.assert_clean(call("ws://example.invalid/", lines=b"hi\n", env=by_environment),
                              b"hi\n")
            self.assertEqual(asked, ["CONNECT example.invalid:80 HTTP/1.1"] * 2)
            ended = call("--proxy", "none", "ws://example.invalid/", env=by_environment)
            self.assertEqual(ended.status, LOST)
            self.assertEqual(len(asked), 2)

    def test_it_ends_after_so_many_messages(self):
        def talk(caller):
            caller.upgrade()
            for number in range(10):
                caller.send(echoed(TEXT, b"%d" % number))
            list(caller.messages())
            self.code = caller.code

        with RawServer(talk) as server:
            self.assert_clean(call("--count", "3", server.url), b"0\n1\n2\n")
        self.assertEqual(self.code, 1000)

    def test_fewer_than_were_asked_for_is_a_failure(self):
        def talk(caller):
            caller.upgrade()
            caller.send(echoed(TEXT, b"one"))
            caller.close(1000)

        with RawServer(talk) as server:
            ended = call("--count", "2", server.url)
        self.assertEqual((ended.status, ended.output), (FAILED, b"one\n"))
        self.assertIn("after 1 of 2 messages", ended.errors)

    def test_behind_the_inputs_end_it_lingers_for_what_still_comes(self):
        def talk(caller):
            messages = caller.upgrade().messages()
            next(messages)
            opcode, payload = caller.frame()
            self.assertEqual(opcode, PING)
            caller.send(echoed(10, payload))
            caller.socket.settimeout(0.3)
            with self.assertRaises(TimeoutError):
                caller.frame()
            caller.socket.settimeout(hotline_server.PATIENCE)
            caller.send(echoed(TEXT, b"late"))
            list(messages)

        with RawServer(talk) as server:
            self.assert_clean(call("--linger", "1s", server.url, lines=b"hi\n"), b"late\n")

    def test_messages_in_pieces_with_pings_between(self):
        def talk(caller):
            caller.upgrade()
            caller.send(frame_part(TEXT, b"one "))
            caller.send(echoed(PING, b"there?"))
            caller.send(echoed(CONTINUATION, b"message"))
            caller.send(echoed(BINARY, b"\x00\x01"))
            self.pongs = [caller.frame()]
            list(caller.messages())

        with RawServer(talk) as server:
            ended = call("--count", "2", "--verbose", server.url)
        self.assertEqual((ended.status, ended.output), (CLEAN, b"one message\n\x00\x01"))
        self.assertEqual(self.pongs, [(10, b"there?")])
        self.assertIn("< ping (6 bytes: 74 68 65 72 65 3f)\n> pong", ended.errors)

    def test_output_goes_behind_what_the_file_has(self):
        with Server() as server, tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "messages")
            path.write_bytes(b"before\n")
            self.assert_clean(call("--output", str(path), server.url, lines=b"hi\nthere\n"), b"")
            self.assertEqual(path.read_bytes(), b"before\nhi\nthere\n")

    def test_verbose_tells_all_on_standard_error(self):
        with Server() as server:
            ended = call("--verbose", "--once", server.url, lines=b"hi\n")
        self.assertEqual((ended.status, ended.output), (CLEAN, b"hi\n"))
        for line in ("> GET /echo HTTP/1.1", "> Sec-WebSocket-Version: 13",
                     "< HTTP/1.1 101 Switching Protocols", "* connected in ", "* upgraded in ",
                     f"* connected to 127.0.0.1:{server.port}", "> close 1000", "< close"):
            self.assertIn("\n" + line, "\n" + ended.errors)

    def test_pings_are_counted_and_timed(self):
        with Server() as server:
            ended = call("--ping", "20ms", "--count", "3", server.url)
        self.assertEqual((ended.status, ended.errors), (CLEAN, ""))
        self.assertRegex(ended.output.decode(),
                         rf"\A(pong [123] from 127\.0\.0\.1:{server.port}: [0-9.]+ ms\n){{3}}"
                         rf"--- {server.url} ---\n3 pings, 3 pongs\n"
                         r"round trip min/avg/max/mdev = ([0-9.]+/){3}[0-9.]+ ms\n\Z")

    def test_standard_output_may_be_a_file_or_nothing(self):
        with Server() as server, tempfile.TemporaryFile() as file:
            self.assertEqual(call("--once", server.url, lines=b"hi\n", stdout=file).status, CLEAN)
            file.seek(0)
            self.assertEqual(file.read(), b"hi\n")
            with open(os.devnull, "wb") as nothing:
                self.assertEqual(call("--once", server.url, lines=b"hi\n", stdout=nothing).status,
                                 CLEAN)

    def test_standard_input_may_be_a_file_or_a_socket(self):
        import socket
        with Server() as server, tempfile.TemporaryFile() as file:
            file.write(b"one\ntwo\n")
            file.seek(0)
            ended = call(server.url, stdin=file, lines=None)
            self.assertEqual((ended.status, ended.output), (CLEAN, b"one\ntwo\n"))
            ours, theirs = socket.socketpair()
            with ours, theirs:
                ours.sendall(b"three\n")
                ours.shutdown(socket.SHUT_WR)
                ended = call(server.url, stdin=theirs, lines=None)
                self.assertEqual((ended.status, ended.output), (CLEAN, b"three\n"))
                self.assertTrue(os.get_blocking(theirs.fileno()), "the flag was taken back")


def frame_part(opcode, payload):
    """A frame that does not end its message."""
    whole = echoed(opcode, payload)
    return bytes([whole[0] & 0x7f]) + whole[1:]


if __name__ == "__main__":
    hotline_server.main()
