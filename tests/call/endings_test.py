"""How `hotline call` ends: what its exit status says, and the sentence that goes with it."""

import os
import signal
import socket
import subprocess
import time
import unittest

from calling import CLEAN, FAILED, LOST, REFUSED, USAGE, call, environment, start
import hotline_server
from hotline_server import PATIENCE, Server
from raw_peer import TEXT, echoed, eventually
from raw_server import RawServer


class Endings(unittest.TestCase):
    def assert_one_sentence(self, ended, status, *words):
        self.assertEqual(ended.output, b"")
        self.assertRegex(ended.errors, r"\Ahotline: [^\n]+\n\Z")
        for word in words:
            self.assertIn(word, ended.errors)
        self.assertEqual(ended.status, status, ended.errors)

    def test_bad_usage(self):
        for arguments, word in (
                ([], "whom to call?"),
                (["http://localhost:8080/echo"], "did you mean ws://localhost:8080/echo?"),
                (["ftp://localhost"], "ws://, wss://"),
                (["ws://"], "ws://"),
                (["ws://localhost:99999/"], "99999"),
                (["ws://a b/"], "ws://a b/"),
                (["--nonsense", "ws://localhost"], "--nonsense"),
                (["ws://localhost", "two"], "two"),
                (["--header", "no colon", "ws://localhost"], "--header: \"no colon\""),
                (["--header", "Upgrade: h2c", "ws://localhost"], "Upgrade"),
                (["--user", "alice", "ws://localhost"], "--user: \"alice\""),
                (["--subprotocol", "a b", "ws://localhost"], "--subprotocol: \"a b\""),
                (["--count", "0", "ws://localhost"], "--count: \"0\""),
                (["--once", "--count", "2", "ws://localhost"], "--once: not with --count"),
                (["--hex", "--json", "ws://localhost"], "--json: not with --hex"),
                (["--ping", "often", "ws://localhost"], "--ping: \"often\""),
                (["--timeout", "0s", "ws://localhost"], "--timeout: \"0s\""),
                (["--key", "key.pem", "ws://localhost"], "--key: needs --cert"),
                (["--connect-to", "nowhere", "ws://localhost"], "nowhere"),
                (["--proxy", "gopher://localhost:1", "ws://localhost"], "--proxy: \"gopher"),
                (["--output", "/nonexistent/file", "ws://localhost"], "--output: /nonexistent/file"),
        ):
            with self.subTest(arguments=arguments):
                self.assert_one_sentence(call(*arguments), USAGE, word, "see hotline call --help")

    def test_help_says_what_the_statuses_mean(self):
        ended = call("--help")
        self.assertEqual((ended.status, ended.errors), (CLEAN, ""))
        self.assertIn(b"Exit status: 0 a clean end, 1", ended.output)
        self.assertNotIn(b"autobahn", ended.output)

    def test_a_refusal(self):
        with Server() as server:
            self.assert_one_sentence(call(f"ws://127.0.0.1:{server.port}/nowhere"), REFUSED,
                                     "404 Not Found", "is the path right?")
            self.assert_one_sentence(call("--origin", "https://example.org", server.url), REFUSED,
                                     "403", "https://example.org")

        def talk(caller):
            caller.read_request()
            caller.send(b"HTTP/1.1 401 Who Are You\r\nContent-Length: 14\r\n\r\n\r\nfirst\x1b\nnext")

        with RawServer(talk) as server:
            self.assert_one_sentence(call(server.url), REFUSED,
                                     "401 Who Are You: first\\x1b (--user NAME:PASSWORD")

    def test_a_refusal_says_why_also_behind_its_status(self):
        with Server() as server:
            self.assert_one_sentence(
                call("--connect-to", f"127.0.0.1:{server.port}", "ws://example.org/echo"), REFUSED,
                "421 Misdirected Request: this server does not go by the name in Host")

    def test_nobody_there(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.assert_one_sentence(call(f"ws://127.0.0.1:{port}/"), LOST, f"127.0.0.1:{port}",
                                 "does the server run")
        self.assert_one_sentence(call("ws://nobody.invalid/"), LOST, "nobody.invalid")
        self.assert_one_sentence(call("ws+unix:/nonexistent/socket:/"), LOST, "/nonexistent/socket")

    def test_no_answer(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            self.assert_one_sentence(call("--timeout", "100ms", f"ws://127.0.0.1:{port}/"), LOST)

        def hang_up(caller):
            caller.read_request()

        with RawServer(hang_up) as server:
            self.assert_one_sentence(call(server.url), LOST)

    def test_a_lost_connection(self):
        def reset(caller):
            caller.upgrade()
            caller.send(echoed(TEXT, b"before"))
            caller.frame()
            caller.reset()

        with RawServer(reset) as server:
            child = start(server.url)
            self.assertEqual(child.stdout.readline(), b"before\n")
            child.stdin.write(b"hi\n")
            child.stdin.flush()
            _, errors = child.communicate(timeout=PATIENCE)
        self.assertEqual(child.returncode, LOST, errors)
        self.assertIn(b"hotline: the connection is lost", errors)

    def test_a_server_that_breaks_the_rules(self):
        def bad_accept(caller):
            caller.upgrade(Sec_WebSocket_Accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA=")

        with RawServer(bad_accept) as server:
            self.assert_one_sentence(call(server.url), FAILED, "Sec-WebSocket-Accept")

        def bad_frame(caller):
            caller.upgrade()
            caller.send(b"\xff\x00")
            caller.frame()

        with RawServer(bad_frame) as server:
            self.assert_one_sentence(call("--once", server.url), FAILED, "1002")

        def no_http(caller):
            caller.read_request()
            caller.send(b"220 mail.example.org ESMTP\r\n")

        with RawServer(no_http) as server:
            self.assert_one_sentence(call(server.url), FAILED)

    def test_a_message_over_the_limit(self):
        def talk(caller):
            caller.upgrade()
            caller.send(echoed(TEXT, b"x" * 1025))
            opcode, payload = caller.frame()
            self.assertEqual((opcode, payload[:2]), (8, b"\x03\xf1"))

        with RawServer(talk) as server:
            self.assert_one_sentence(call("--once", "--message-limit", "1k", server.url), FAILED,
                                     "1009")

    def test_a_goodbye_with_a_reason(self):
        for code, status in ((1000, CLEAN), (1001, CLEAN), (1011, FAILED), (4000, FAILED)):
            def talk(caller, code=code):
                caller.upgrade()
                caller.close(code, b"because\x1b")

            with self.subTest(code=code), RawServer(talk) as server:
                child = start(server.url)  # its input stays open
                self.assertEqual(child.wait(PATIENCE), status)
                output, errors = child.communicate()
                self.assertEqual(output, b"")
                if status == FAILED:
                    self.assertIn(b"because\\x1b", errors)
                    self.assertIn(b"%d" % code, errors)

    def test_an_interrupt_says_goodbye(self):
        def talk(caller):
            caller.upgrade()
            caller.send(echoed(TEXT, b"ready"))
            list(caller.messages())
            self.code = caller.code

        for number, code in ((signal.SIGINT, 1000), (signal.SIGTERM, 1001)):
            with self.subTest(number=number), RawServer(talk) as server:
                child = start(server.url)
                self.assertEqual(child.stdout.readline(), b"ready\n")
                child.send_signal(number)
                _, errors = child.communicate(timeout=PATIENCE)
                self.assertEqual((child.returncode, errors), (CLEAN, b""))
            self.assertEqual(self.code, code)

    def test_a_second_interrupt_ends_it_at_once(self):
        def talk(caller):
            caller.upgrade()
            caller.send(echoed(TEXT, b"ready"))
            self.assertEqual(caller.frame()[0], 8)
            child.send_signal(signal.SIGINT)  # and no goodbye
            child.wait(PATIENCE)

        with RawServer(talk) as server:
            child = start(server.url)
            self.assertEqual(child.stdout.readline(), b"ready\n")
            child.send_signal(signal.SIGINT)
            self.assertEqual(child.wait(PATIENCE), -signal.SIGINT)
            child.communicate()

    def test_an_interrupt_while_it_dials_ends_it_at_once(self):
        def talk(caller):
            caller.read_request()
            child.send_signal(signal.SIGINT)
            child.wait(PATIENCE)

        with RawServer(talk) as server:
            child = start(server.url)
            child.communicate(timeout=PATIENCE)
            self.assertEqual(child.returncode, -signal.SIGINT)

    def test_an_interrupt_sums_the_pings_up(self):
        with Server() as server:
            child = start("--ping", "10ms", server.url)
            self.assertTrue(child.stdout.readline().startswith(b"pong 1 "))
            child.send_signal(signal.SIGINT)
            output, errors = child.communicate(timeout=PATIENCE)
        self.assertEqual((child.returncode, errors), (CLEAN, b""))
        self.assertIn(b" pong", output.split(b" ---\n")[1])
        self.assertEqual(output.count(b"round trip"), 1)

    def test_an_interrupt_sums_the_pings_up_however_long_the_goodbye_takes(self):
        def talk(caller):
            caller.upgrade()
            caller.send(echoed(10, caller.frame()[1]))
            child.send_signal(signal.SIGINT)
            opcode = 9
            while opcode != 8:
                opcode, payload = caller.frame()
            time.sleep(0.05)  # it is time for the next ping, several times
            caller.send(echoed(8, payload))

        with RawServer(talk) as server:
            child = start("--ping", "10ms", server.url)
            output, errors = child.communicate(timeout=PATIENCE)
        self.assertEqual((child.returncode, errors), (CLEAN, b""))
        self.assertIn(b" ---\n", output)

    def test_a_reader_that_leaves_ends_it_quietly(self):
        with Server() as server:
            shell = subprocess.run(
                f"(while echo hi; do :; done) | '{hotline_server.program()}' call {server.url} | "
                "head -n 1; echo ${PIPESTATUS[1]}",
                shell=True, executable="/bin/bash", capture_output=True, timeout=PATIENCE,
                env=environment())
        self.assertEqual((shell.stdout, shell.stderr), (b"hi\n0\n", b""))

    def test_it_dials_again_if_it_is_told_to(self):
        turns = []

        def talk(caller):
            turns.append(None)
            caller.read_request()
            if len(turns) == 1:
                caller.send(b"HTTP/1.1 503 Full\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n")
            elif len(turns) == 2:
                caller.upgrade()
                caller.send(echoed(TEXT, b"before"))
                caller.reset()
            elif len(turns) == 3:
                caller.upgrade()
                caller.close(1001)
            else:
                caller.upgrade()
                caller.send(echoed(TEXT, b"after"))
                self.heard = list(caller.messages())

        with RawServer(talk) as server:
            child = start("--reconnect", server.url)
            self.assertEqual(child.stdout.readline(), b"before\n")
            self.assertEqual(child.stdout.readline(), b"after\n")
            _, errors = child.communicate(b"hi\n", timeout=PATIENCE)
        self.assertEqual(child.returncode, CLEAN, errors)
        self.assertEqual(self.heard, [(TEXT, b"hi")])
        said = errors.decode().splitlines()
        self.assertEqual(len(said), 3, said)
        for line, words in zip(said, ("503", "1006", "1001")):
            self.assertIn(words, line)
            self.assertRegex(line, r"; dialling again in [0-9]+\.[0-9] s$")

    def test_it_does_not_dial_again_where_that_is_of_no_use(self):
        with Server() as server:
            self.assert_one_sentence(call("--reconnect", f"ws://127.0.0.1:{server.port}/nowhere"),
                                     REFUSED, "404")

    def test_the_cases_of_autobahn(self):
        targets = []

        def talk(caller):
            caller.read_request()
            targets.append(caller.head.split(" ")[1])
            caller.upgrade()
            if targets[-1] == "/getCaseCount":
                caller.send(echoed(TEXT, b"2"))
            elif targets[-1].startswith("/runCase"):
                caller.send(echoed(TEXT, b"one") + echoed(9, b"?") + echoed(TEXT, b"two"))
                self.echoed += [payload for opcode, payload in (caller.frame() for _ in range(3))
                                if opcode == TEXT]
            caller.close(1000)

        self.echoed = []
        with RawServer(talk) as server:
            ended = call("--autobahn", server.url)
        self.assertEqual((ended.status, ended.output, ended.errors),
                         (CLEAN, b"case 1 of 2\ncase 2 of 2\n", ""))
        self.assertEqual(targets, ["/getCaseCount", "/runCase?case=1&agent=hotline",
                                   "/runCase?case=2&agent=hotline", "/updateReports?agent=hotline"])
        self.assertEqual(self.echoed, [b"one", b"two"] * 2)

    def test_what_has_come_is_written_whatever_comes_after(self):
        turns = []

        def talk(caller):
            turns.append(caller)
            if len(turns) == 1:
                caller.upgrade()
                caller.send(echoed(TEXT, b"x" * 100_000) + echoed(9, b""))  # more than a pipe takes
                while caller.frame()[0] != 10:  # what has not been read goes with a reset
                    pass
                caller.reset()
            else:
                caller.read_request()
                caller.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        with RawServer(talk) as server:
            child = start("--reconnect", server.url)
            child.stdin.write(b"hi\n")
            child.stdin.flush()
            self.assertTrue(eventually(lambda: len(turns) == 2))
            with self.assertRaises(subprocess.TimeoutExpired):
                child.wait(0.3)
            output, errors = child.communicate(timeout=PATIENCE)
        self.assertEqual(child.returncode, REFUSED, errors)
        self.assertEqual(len(output), 100_001)

    def test_a_connection_that_outlives_the_call_is_not_reported_on(self):
        def talk(caller):
            caller.upgrade()
            caller.send(echoed(TEXT, b"hello"))
            list(caller.messages())  # says goodbye when the call has failed

        with RawServer(talk) as server:
            ended = call("--verbose", "--output", "/dev/full", server.url)
        self.assertEqual(ended.status, FAILED, ended.errors)
        self.assertTrue(ended.errors.endswith("No space left on device\n"), ended.errors)

    def test_a_password_is_not_shown(self):
        def talk(caller):
            caller.upgrade()
            list(caller.messages())

        with RawServer(talk) as server:
            ended = call("--ping", "1", server.url.replace("//", "//ann:secret@"))
        self.assertEqual(ended.status, CLEAN, ended.errors)
        self.assertIn(f"--- {server.url} ---".encode(), ended.output)
        self.assertNotIn(b"secret", ended.output)

    def test_a_signal_takes_the_flag_of_a_socket_back_too(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            ours, theirs = socket.socketpair()
            with ours, theirs:
                child = start(f"ws://127.0.0.1:{silent.getsockname()[1]}/", stdin=theirs)
                caller, _ = silent.accept()
                with caller:
                    child.send_signal(signal.SIGTERM)
                    child.communicate(timeout=PATIENCE)
                self.assertEqual(child.returncode, -signal.SIGTERM)
                self.assertTrue(os.get_blocking(theirs.fileno()))

    def test_a_full_disk_is_told(self):
        with Server() as server, open("/dev/full", "wb") as full:
            ended = call("--once", server.url, lines=b"hi\n", stdout=full)
        self.assertEqual(ended.status, FAILED)
        self.assertIn("No space left", ended.errors)


if __name__ == "__main__":
    hotline_server.main()
