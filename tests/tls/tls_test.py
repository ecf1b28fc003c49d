"""TLS of the program, from outside: Python's ssl and `openssl s_client` are the clients."""

import hashlib
import os
import pathlib
import select
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import certificate_authority
import hotline_server
import raw_peer
from hotline_server import PATIENCE
from raw_peer import TEXT, BINARY, eventually


class SecurePeer(raw_peer.Peer):
    """A client that speaks TLS."""

    def __init__(self, server, context, name="localhost", session=None):
        super().__init__(server)
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname=name, session=session)
        except (OSError, ValueError):
            self.socket.close()
            raise

    def echoes(self, payload=b"hello", opcode=TEXT):
        self.send(raw_peer.frame(opcode, payload))
        return self.frame() == (opcode, payload)

    def subject(self):
        return dict(part[0] for part in self.socket.getpeercert()["subject"])["commonName"]


class Secured(unittest.TestCase):
    """Servers with certificates, and clients that believe them."""

    @classmethod
    def setUpClass(cls):
        cls.authority = certificate_authority.Authority()
        cls.addClassCleanup(cls.authority.close)
        cls.localhost = cls.authority.issue("localhost", "DNS:localhost,IP:127.0.0.1")

    def context(self, client=None, alpn=None, version=None):
        context = ssl.create_default_context(cafile=self.authority.ca)
        if client:
            context.load_cert_chain(*client)
        if alpn:
            context.set_alpn_protocols(alpn)
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def serve(self, *arguments, pairs=None, **options):
        for certificate, key in pairs or [self.localhost]:
            arguments = (*arguments, "--tls-cert", certificate, "--tls-key", key)
        server = hotline_server.Server(*arguments, **options)
        self.addCleanup(lambda: server.__exit__())
        return server

    def good(self, server, **options):
        """Whether a client is served."""
        with SecurePeer(server, self.context(), **options) as peer:
            return peer.upgrade().echoes()


class Tls(Secured):
    def test_echoes_of_all_sizes_on_both_versions(self):
        server = self.serve()
        self.assertIn("wss://127.0.0.1:", server.line)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with SecurePeer(server, self.context(version=version)) as peer:
                peer.upgrade(host="localhost")
                for size in (0, 1, 125, 126, 16_384, 65_536, 1 << 20):
                    payload = os.urandom(size)
                    self.assertTrue(peer.echoes(payload, BINARY), size)
                peer.send(raw_peer.close(1000))
                self.assertEqual(peer.close_code(), 1000)
                self.assertEqual(peer.rest(), b"")
        self.assertEqual(server.stop(), (0, ""))

    def test_a_batch_of_messages_in_one_go(self):
        server = self.serve()
        with SecurePeer(server, self.context()) as peer:
            peer.upgrade()
            peer.send(raw_peer.frame(TEXT, b"batch") * 5_000)
            expected = raw_peer.echoed(TEXT, b"batch") * 5_000
            self.assertEqual(peer.exactly(len(expected)), expected)

    def test_one_who_reads_late_gets_all(self):
        server = self.serve("--message-limit", "8M")
        payload = os.urandom(6 << 20)
        with SecurePeer(server, self.context()) as peer:
            peer.upgrade()
            sender = threading.Thread(
                target=lambda: peer.send(raw_peer.frame(BINARY, payload)))
            sender.start()
            sender.join(PATIENCE)
            time.sleep(0.3)
            self.assertEqual(peer.frame(), (BINARY, payload))

    def test_https_and_the_page(self):
        server = self.serve()
        with SecurePeer(server, self.context()) as peer:
            peer.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            self.assertTrue(peer.rest().startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_plain_is_told_so(self):
        server = self.serve()
        with raw_peer.Peer(server) as peer:
            peer.send(raw_peer.upgrade_request())
            answer = peer.rest()
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 Bad Request\r\n"), answer)
        self.assertTrue(answer.endswith(b"this port speaks TLS: use https:// or wss://\n"), answer)

    def test_alpn_is_http_1_or_nothing(self):
        server = self.serve()
        for offered in (["h2", "http/1.1"], ["http/1.1"]):
            with SecurePeer(server, self.context(alpn=offered)) as peer:
                self.assertEqual(peer.socket.selected_alpn_protocol(), "http/1.1")
        with SecurePeer(server, self.context()) as peer:
            self.assertIsNone(peer.socket.selected_alpn_protocol())
        with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
            SecurePeer(server, self.context(alpn=["h2"]))

    def test_what_is_old_is_refused(self):
        server = self.serve()
        for arguments in (("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"),
                          ("-tls1_2", "-cipher", "AES128-SHA"),
                          ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA")):
            done = subprocess.run(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *arguments],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
            self.assertIn("alert", done.stderr, arguments)
            self.assertNotEqual(done.returncode, 0)
        self.assertTrue(self.good(server))

    def test_renegotiation_is_refused(self):
        server = self.serve()
        client = subprocess.Popen(
            ["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{server.port}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            self.assertTrue(any("Verify return code" in line for line in client.stdout))
            client.stdin.write("R\n")
            client.stdin.flush()
            said, _ = client.communicate(timeout=PATIENCE)
        finally:
            client.kill()
        self.assertIn("RENEGOTIATING", said)
        self.assertIn("no renegotiation", said)
        self.assertTrue(self.good(server))

    def test_the_name_asked_for_chooses_the_certificate(self):
        server = self.serve("--host", "chat.example.org", "--host", "a.example.org",
                            pairs=[self.localhost, self.authority.issue("*.example.org"),
                                   self.authority.issue("chat.example.org")])
        for name, subject in (("localhost", "localhost"), ("a.example.org", "*.example.org"),
                              ("chat.example.org", "chat.example.org")):
            with SecurePeer(server, self.context(), name) as peer:
                self.assertEqual(peer.subject(), subject)
                self.assertTrue(peer.upgrade(host=name).echoes())

    def test_sessions_are_resumed_on_any_loop(self):
        server = self.serve(threads=2)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context(version=version)
            with SecurePeer(server, context) as peer:
                peer.upgrade().echoes()
                session = peer.socket.session
            for _ in range(12):
                with SecurePeer(server, context, session=session) as peer:
                    self.assertTrue(peer.upgrade().echoes())
                    self.assertTrue(peer.socket.session_reused, version)

    def test_mutual(self):
        alice = self.authority.issue("alice")
        mallory = self.authority.issue("mallory")
        others = certificate_authority.Authority("Somebody Else")
        self.addCleanup(others.close)
        crl = self.authority.revoke(mallory[0])
        server = self.serve("--tls-client-ca", self.authority.ca, "--crl", crl,
                            log_level="warning")
        with SecurePeer(server, self.context(alice)) as peer:
            self.assertTrue(peer.upgrade().echoes())
        for client, alert in ((None, "certificate.required"), (mallory, "certificate.revoked"),
                              (others.issue("eve"), "unknown.ca")):
            with self.assertRaisesRegex(ssl.SSLError, f"(?i){alert}"):
                with SecurePeer(server, self.context(client)) as peer:
                    peer.upgrade()
        status, said = server.stop()
        self.assertEqual(status, 0)
        self.assertIn("turned away a connection from 127.0.0.1:", said)
        self.assertIn("no TLS (", said)

    def test_half_handshakes_are_bounded(self):
        server = self.serve("--handshake-timeout", "1s", "--max-connections", "300",
                            log_level="off", descriptors=4096)
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300)  # of 512
        before = server.memory()
        peers = []
        for number in range(1_500):
            peer = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
            try:
                peer.sendall(hello if number % 2 else b"")
            except OSError:
                pass  # it is closed already
            peers.append(peer)
        if not hotline_server.sanitized():
            self.assertLess(server.memory() - before, 16 << 20)
        self.assertTrue(self._room(server))
        for peer in peers:
            peer.close()
        self.assertEqual(server.stop()[0], 0)

    def _room(self, server):
        """Waits until a client is served again."""
        def served():
            try:
                return self.good(server)
            except (OSError, AssertionError):
                return False
        return eventually(served)

    def test_self_signed_says_its_fingerprint(self):
        server = hotline_server.Server("--tls-self-signed", "--host", "box.lan", log_level="info")
        with server:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            with SecurePeer(server, context) as peer:
                der = peer.socket.getpeercert(True)
                self.assertTrue(peer.upgrade().echoes())
            # Whoever has looked at the fingerprint may believe it, by its names.
            believing = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(der))
            for name in ("localhost", "127.0.0.1", "box.lan"):
                with SecurePeer(server, believing, name) as peer:
                    self.assertTrue(peer.upgrade(host=name).echoes())
            with self.assertRaises(ssl.SSLCertVerificationError):
                SecurePeer(server, believing, "example.org")
            _, said = server.stop()
        shown = re.search(r"SHA-256 ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})", said)
        self.assertEqual(shown[1].replace(":", "").lower(), hashlib.sha256(der).hexdigest())

    def test_the_text_of_a_key_is_not_left_in_memory(self):
        if hotline_server.sanitized():
            self.skipTest("what has been freed is kept there")
        # A file may say what it is before the key: more than the next allocations write over.
        marker = os.urandom(6).hex()
        certificate, key = self.localhost
        text = "".join(f"{marker} {number}\n" for number in range(5_000)).encode()
        text += pathlib.Path(key).read_bytes()
        marked = self.authority.path / "marked.key"
        marked.write_bytes(text)
        server = self.serve(pairs=[(certificate, str(marked))])
        self.assertTrue(self.good(server))
        secret = max((line for line in text.split(b"\n")[5_002:]), key=len)
        memory = server.writable_memory()
        self.assertTrue(str(marked).encode() in memory, "it is the memory of the server")
        self.assertFalse(secret[:24] in memory)
        self.assertFalse(marker.encode() in memory)

    def test_bad_usage_is_a_sentence(self):
        certificate, key = self.localhost
        other = self.authority.issue("other")
        for arguments, said in (
                (("--tls-cert", certificate), "--tls-cert: as many of --tls-cert as of"),
                (("--tls-cert", certificate, "--tls-key", other[1]),
                 f'--tls-key: "{other[1]}" is not the key of "{certificate}"'),
                (("--tls-cert", "/nowhere", "--tls-key", key), '--tls-cert: "/nowhere" cannot be '),
                (("--tls-self-signed", "--crl", certificate), "--crl: --tls-client-ca must say"),
                (("--tls-client-ca", certificate), "--tls-client-ca: --tls-cert must say"),
                (("--tls-self-signed", "--tls-cert", certificate, "--tls-key", key),
                 "--tls-self-signed: there is --tls-cert already")):
            done = hotline_server.run("serve", "--listen", "127.0.0.1:0", *arguments)
            self.assertIn(said, done.stderr)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)


class Reload(Secured):
    """Certificates that change while there are clients."""

    def setUp(self):
        self.first = self.authority.issue("first", "DNS:localhost", stem="live")
        self.spare = self.authority.issue("second", "DNS:localhost")

    def put(self, pair):
        for source, target in zip(pair, self.first):
            text = pathlib.Path(source).read_bytes()
            fresh = pathlib.Path(target + ".new")
            fresh.write_bytes(text)
            fresh.replace(target)

    def shown(self, server):
        with SecurePeer(server, self.context()) as peer:
            return peer.subject()

    def test_new_files_are_for_new_connections_and_nobody_is_dropped(self):
        server = self.serve(pairs=[self.first], threads=2, log_level="error")
        stop = threading.Event()
        counts, failures = [], []

        def talk():
            count = 0
            try:
                with SecurePeer(server, self.context()) as peer:
                    peer.upgrade()
                    while not stop.is_set():
                        if not peer.echoes(b"%d" % count):
                            raise AssertionError("a wrong echo")
                        count += 1
            except (OSError, AssertionError) as failure:
                failures.append(failure)
            counts.append(count)

        talkers = [threading.Thread(target=talk) for _ in range(16)]
        for talker in talkers:
            talker.start()
        try:
            self.assertEqual(self.shown(server), "first")
            pairs = [self.spare, self.authority.issue("third", "DNS:localhost")]
            for number in range(10):
                self.put(pairs[number % 2])
                server.signal(signal.SIGHUP)
                wanted = ("second", "third")[number % 2]
                self.assertTrue(eventually(lambda: self.shown(server) == wanted), number)
        finally:
            stop.set()
            for talker in talkers:
                talker.join()
        self.assertEqual(failures, [])
        self.assertGreater(min(counts), 10)
        self.assertEqual(server.stop(), (0, ""))

    def test_changed_files_are_noticed(self):
        server = self.serve(pairs=[self.first])
        self.put(self.spare)
        self.assertTrue(eventually(lambda: self.shown(server) == "second"))

    def test_a_broken_file_keeps_the_old_one(self):
        server = self.serve(pairs=[self.first])
        pathlib.Path(self.first[1]).write_text("nonsense")
        server.signal(signal.SIGHUP)
        ready, _, _ = select.select([server.process.stderr], [], [], PATIENCE)
        said = server.process.stderr.readline() if ready else ""
        self.assertIn("the certificates stay what they were (", said)
        self.assertIn(f'--tls-key: "{self.first[1]}" has no private key in it', said)
        self.assertEqual(self.shown(server), "first")
        self.put(self.spare)
        self.assertTrue(eventually(lambda: self.shown(server) == "second"))
        self.assertEqual(server.stop()[0], 0)


if __name__ == "__main__":
    hotline_server.main()
