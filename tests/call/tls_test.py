"""`hotline call wss://…`: whom it believes, who it says it is, and what it tells of that."""

import pathlib
import tempfile
import unittest

from calling import CLEAN, LOST, FAILED, NOT_BELIEVED, USAGE, call
import hotline_server
from certificates import make_certificate
from hotline_server import Server


def serving(certificate, *arguments):
    return Server("--tls-cert", str(certificate.chain), "--tls-key", str(certificate.key),
                  *arguments)


def secure(server, host="127.0.0.1"):
    return f"wss://{host}:{server.port}/echo"


class OverTls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        where = pathlib.Path(cls.directory.name)
        cls.good = make_certificate(where)
        cls.other = make_certificate(where, "example.org")
        cls.ours = make_certificate(where, "client")

    def assert_echoes(self, *arguments):
        ended = call("--once", *arguments, lines=b"hi\n")
        self.assertEqual((ended.status, ended.output), (CLEAN, b"hi\n"), ended.errors)
        return ended.errors

    def assert_not_believed(self, *arguments):
        ended = call("--once", *arguments, lines=b"hi\n")
        self.assertEqual((ended.status, ended.output), (NOT_BELIEVED, b""), ended.errors)
        self.assertRegex(ended.errors, r"\Ahotline: [^\n]+ \(--ca FILE [^\n]+\)\n\Z")
        return ended.errors

    def test_whom_it_believes(self):
        with serving(self.good) as server:
            for host in ("127.0.0.1", "localhost"):
                self.assert_echoes("--ca", str(self.good.chain), secure(server, host))
            self.assertIn("signed by nobody but itself", self.assert_not_believed(secure(server)))
            self.assert_not_believed("--ca", str(self.other.chain), secure(server))
            self.assert_echoes("--insecure", secure(server))

    def test_a_certificate_is_for_a_name(self):
        with serving(self.other) as server:
            self.assertIn("it is for example.org", self.assert_not_believed(
                "--ca", str(self.other.chain), secure(server, "localhost")))
            self.assert_echoes("--ca", str(self.other.chain), "--header", "Host: localhost",
                               "--connect-to", f"127.0.0.1:{server.port}",
                               "wss://example.org/echo")

    def test_a_servers_own_certificate_is_for_trying_out(self):
        with Server("--tls-self-signed") as server:
            self.assert_not_believed(secure(server))
            self.assert_echoes("--insecure", secure(server))

    def test_it_says_who_it_is(self):
        with serving(self.good, "--tls-client-ca", str(self.ours.chain)) as server:
            ours = ("--ca", str(self.good.chain))
            self.assert_echoes(*ours, "--cert", str(self.ours.chain), "--key", str(self.ours.key),
                               secure(server))
            self.assert_echoes(*ours, "--cert", str(self.ours.both), secure(server))
            for arguments in ((), ("--cert", str(self.other.both))):
                ended = call("--once", *ours, *arguments, secure(server), lines=b"hi\n")
                self.assertIn(ended.status, (FAILED, LOST), ended.errors)
                self.assertRegex(ended.errors, r"\Ahotline: [^\n]+\n\Z")

    def test_verbose_shows_the_certificate(self):
        with serving(self.good) as server:
            told = self.assert_echoes("--ca", str(self.good.chain), "--verbose", secure(server))
        self.assertRegex(told, r"\n\* TLS was agreed on in [0-9.]+ ms\n")
        self.assertRegex(told, r"\n\* TLSv1\.3, TLS_[A-Z0-9_]+\n"
                               r"\* certificate of CN=localhost, for localhost, 127\.0\.0\.1\n"
                               r"\*   issued by CN=localhost\n"
                               r"\*   valid from 20[0-9-]+ to 20[0-9-]+\n"
                               r"\*   SHA-256 [0-9A-Fa-f:]{95}\n")

    def test_files_that_are_none(self):
        for arguments, words in ((("--ca", "/nonexistent.pem"), "--ca: \"/nonexistent.pem\""),
                                 (("--cert", "/nonexistent.pem"), "--cert: \"/nonexistent.pem\""),
                                 (("--cert", str(self.ours.chain)), "--key: ")):
            with self.subTest(arguments=arguments):
                ended = call(*arguments, "wss://localhost/")
                self.assertEqual(ended.status, USAGE, ended.errors)
                self.assertIn("hotline: " + words, ended.errors)

    def test_one_side_speaks_in_clear(self):
        with Server() as server:
            ended = call(secure(server))
            self.assertEqual(ended.status, FAILED)
            self.assertRegex(ended.errors, r"\Ahotline: [^\n]*does the server speak TLS[^\n]*\n\Z")
        with serving(self.good) as server:
            ended = call(secure(server).replace("wss", "ws"))
            self.assertNotEqual(ended.status, CLEAN)
            self.assertRegex(ended.errors, r"\Ahotline: [^\n]*TLS[^\n]*\n\Z")


if __name__ == "__main__":
    hotline_server.main()
