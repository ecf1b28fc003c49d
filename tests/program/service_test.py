"""The program as a service: it tells systemd that it is ready, well and stopping, and takes sockets
that were opened for it. A socket here is the service manager."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server  # noqa: E402
from raw_peer import TEXT, Peer, close, frame  # noqa: E402


class Manager:
    """Where the service tells how it is."""

    def __init__(self, abstract=False):
        self.directory = tempfile.TemporaryDirectory()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(hotline_server.PATIENCE)
        path = f"hotline-test-{os.getpid()}-{id(self)}"
        if abstract:
            self.name = "@" + path
            self.socket.bind("\0" + path)
        else:
            self.name = os.path.join(self.directory.name, "notify")
            self.socket.bind(self.name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.directory.cleanup()

    def hear(self):
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def hears_nothing(self, seconds):
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(4096) is None
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(hotline_server.PATIENCE)


class Service(unittest.TestCase):
    def test_it_says_when_it_is_ready_and_when_it_stops(self):
        for abstract in (False, True):
            for threads in (1, 2):
                with self.subTest(abstract=abstract, threads=threads), Manager(abstract) as manager:
                    with hotline_server.Server(threads=threads, drain="7s",
                                               environment={"NOTIFY_SOCKET": manager.name}) as server:
                        state = manager.hear()
                        self.assertEqual(state["READY"], "1")
                        self.assertIn(server.url, state["STATUS"])
                        with Peer(server) as peer:
                            peer.upgrade()
                            server.signal()
                            state = manager.hear()
                            self.assertEqual(state["STOPPING"], "1")
                            self.assertGreater(int(state["EXTEND_TIMEOUT_USEC"]), 7_000_000)
                            self.assertEqual(peer.close_code(), 1001)
                            peer.send(close(1001))
                            peer.rest()
                        self.assertEqual(server.stop(), (0, ""))

    def test_it_feeds_the_watchdog_while_its_loops_come_round(self):
        with Manager() as manager:
            with hotline_server.Server(threads=2, environment={
                    "NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "300000"}) as server:
                self.assertIn("READY", manager.hear())
                for _ in range(3):
                    self.assertEqual(manager.hear(), {"WATCHDOG": "1"})
                server.signal(signal.SIGSTOP)
                while not manager.hears_nothing(0.5):
                    pass  # what was sent before
                server.signal(signal.SIGCONT)
                self.assertEqual(manager.hear(), {"WATCHDOG": "1"})
                server.signal()
                while "STOPPING" not in manager.hear():
                    pass
                self.assertEqual(server.stop(), (0, ""))

    def test_a_watchdog_of_another_process_is_not_fed(self):
        with Manager() as manager, hotline_server.Server(environment={
                "NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "30000", "WATCHDOG_PID": "1"}):
            self.assertIn("READY", manager.hear())
            self.assertTrue(manager.hears_nothing(0.3))

    def test_a_manager_that_is_not_there_does_no_harm(self):
        for name in ("/no/such/socket", "@no-such-socket", "relative", "", "/" + "x" * 200):
            with self.subTest(name), hotline_server.Server(
                    environment={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000"}) as server:
                with Peer(server) as peer:
                    peer.upgrade().send(frame(TEXT, b"hello"))
                    self.assertEqual(peer.frame(), (TEXT, b"hello"))
                    peer.send(close(1000))
                    peer.rest()
                self.assertEqual(server.stop(), (0, ""))


class Activation(unittest.TestCase):
    def start(self, *sockets, count=None):
        """The program with these sockets from 3 on, as systemd starts it."""
        descriptors = [one.fileno() for one in sockets]
        # A shell sets LISTEN_PID, which must be the program's own, and puts the sockets where they
        # belong.
        spare = 100
        moves = "".join(f"exec {spare + i}<&{fd}; " for i, fd in enumerate(descriptors))
        moves += "".join(f"exec {3 + i}<&{spare + i} {spare + i}<&-; "
                         for i in range(len(descriptors)))
        script = (f"{moves} export LISTEN_PID=$$ LISTEN_FDS={count or len(sockets)}; "
                  f'exec "$0" serve --listen systemd --log-level error')
        return subprocess.Popen(["bash", "-c", script, hotline_server.program()],
                                pass_fds=descriptors, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=hotline_server.PATIENCE)
        self.assertEqual((process.returncode, errors), (0, ""))

    def test_sockets_that_were_opened_for_it_are_served(self):
        with socket.socket() as first, socket.socket() as second:
            for each in (first, second):
                each.bind(("127.0.0.1", 0))
                each.listen()
            ports = [each.getsockname()[1] for each in (first, second)]
            # Connections that came before the service was there are served, too.
            early = socket.create_connection(("127.0.0.1", ports[0]))
            early.settimeout(hotline_server.PATIENCE)
            early.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            process = self.start(first, second)
            try:
                line = process.stdout.readline()
                for port in ports:
                    self.assertIn(f"ws://127.0.0.1:{port}/echo", line)
                answer = b""
                while piece := early.recv(4096):
                    answer += piece
                self.assertTrue(answer.endswith(b"\r\n\r\nok\n"), answer)
                early.close()
                for port in ports:
                    with Peer(type("Place", (), {"port": port})) as peer:
                        peer.upgrade().send(frame(TEXT, b"hello"))
                        self.assertEqual(peer.frame(), (TEXT, b"hello"))
                        peer.send(close(1000))
                        peer.rest()
                self.end(process)
            finally:
                process.kill()
                process.communicate()

    def test_without_sockets_it_says_so(self):
        ended = hotline_server.run("serve", "--listen", "systemd")
        self.assertNotEqual(ended.returncode, 0)
        self.assertRegex(ended.stderr, r"\Ahotline: [^\n]*systemd[^\n]*\n\Z")


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
class Unit(unittest.TestCase):
    def test_it_is_understood_and_hardened(self):
        packaging = pathlib.Path(__file__).resolve().parent.parent.parent / "packaging"
        with tempfile.TemporaryDirectory() as directory:
            unit = pathlib.Path(directory, "hotline.service")
            program = pathlib.Path(hotline_server.program())
            text = (packaging / "hotline.service.in").read_text()
            unit.write_text(text.replace("@HOTLINE_BINDIR@", str(program.parent)))
            pathlib.Path(directory, "hotline.socket").write_text(
                (packaging / "hotline.socket").read_text())
            for arguments in (["verify", "--man=no", str(unit), f"{directory}/hotline.socket"],
                              ["security", "--offline=true", "--threshold=15", str(unit)]):
                with self.subTest(arguments[0]):
                    checked = subprocess.run(["systemd-analyze", "--no-pager", *arguments],
                                             capture_output=True, text=True,
                                             timeout=hotline_server.PATIENCE)
                    self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
                    self.assertNotIn("hotline.s", checked.stderr)


class Drain(unittest.TestCase):
    def test_it_is_over_within_its_time(self):
        with hotline_server.Server(drain="1s") as server, Peer(server) as silent:
            silent.upgrade()
            began = time.monotonic()
            server.signal()
            self.assertEqual(silent.close_code(), 1001)
            self.assertEqual(server.wait(), 0)
            took = time.monotonic() - began
            self.assertGreater(took, 0.8, "the client had its time")
            self.assertLess(took, 4, "less than the grace of a close")

    def test_goodbyes_can_be_spread(self):
        with hotline_server.Server("--drain-jitter", "1s") as server:
            peers = [Peer(server).upgrade() for _ in range(30)]
            began = time.monotonic()
            server.signal()
            times = []
            for peer in peers:
                peer.socket.setblocking(False)
            waiting = list(peers)
            while waiting and time.monotonic() - began < hotline_server.PATIENCE:
                time.sleep(0.01)
                for peer in list(waiting):
                    try:
                        if peer.socket.recv(4096):
                            times.append(time.monotonic() - began)
                            waiting.remove(peer)
                            peer.socket.setblocking(True)
                            peer.send(close(1001))
                    except BlockingIOError:
                        pass
            self.assertEqual(waiting, [])
            self.assertGreater(max(times) - min(times), 0.3, times)
            self.assertEqual(server.stop()[0], 0)
            for peer in peers:
                peer.socket.close()


if __name__ == "__main__":
    hotline_server.main()
