"""`hotline call` through tinyproxy, microsocks and stunnel.

    proxied_test.py PROGRAM [TEST...]
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import hotline_server  # noqa: E402
from certificates import make_certificate  # noqa: E402
from forward_proxies import Everywhere, Microsocks, Stunnel, Tinyproxy  # noqa: E402
from other_program import free_port  # noqa: E402

ANN = ("ann", "s3cret")
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUEST_METHOD")


def environment(**variables):
    clean = {name: value for name, value in os.environ.items()
             if name.lower() not in VARIABLES and name not in VARIABLES}
    return {**clean, **variables}


class Proxied(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.directory = pathlib.Path(temporary.name)
        cls.certificate = make_certificate(cls.directory)
        cls.server = cls.enterClassContext(hotline_server.Server("--host", "far.test"))
        cls.secure = cls.enterClassContext(hotline_server.Server(
            "--tls-cert", str(cls.certificate.chain), "--tls-key", str(cls.certificate.key)))

    def call(self, *arguments, url=None, **variables):
        """Says a word to the echo, and gives status, output and complaints."""
        done = subprocess.run(
            [hotline_server.program(), "call", "--once", *arguments, url or self.server.url],
            input="over the wire\n", capture_output=True, text=True,
            env=environment(**variables), timeout=hotline_server.PATIENCE)
        return done.returncode, done.stdout, done.stderr

    def assert_echoed(self, result):
        self.assertEqual(result, (0, "over the wire\n", ""))

    def assert_refused(self, result, *words):
        status, output, complaint = result
        self.assertNotEqual(status, 0)
        self.assertEqual(output, "")
        for word in words:
            self.assertIn(word, complaint)
        self.assertNotIn(ANN[1], complaint)

    def through(self, proxy, *arguments, scheme="http", who=None, **options):
        user = "{}:{}@".format(*who) if who else ""
        url = f"{scheme}://{user}localhost:{proxy.port}"
        return self.call("--proxy", url, *arguments, **options)

    @property
    def secure_url(self):
        return f"wss://localhost:{self.secure_port}/echo"

    @property
    def secure_port(self):
        return self.secure.port

    def nowhere(self):
        return f"ws://127.0.0.1:{free_port()}/"

    def believing(self):
        return ("--ca", str(self.certificate.chain))

    # HTTP CONNECT

    def test_tinyproxy(self):
        with Tinyproxy(self.directory) as proxy:
            self.assert_echoed(self.through(proxy))
            self.assertTrue(proxy.says(f"CONNECT 127.0.0.1:{self.server.port} HTTP/1.1"))
            self.assert_echoed(self.through(proxy, *self.believing(), url=self.secure_url))
            self.assertTrue(proxy.says(f"CONNECT localhost:{self.secure_port} HTTP/1.1"))

    def test_tinyproxy_that_wants_to_know_who_asks(self):
        with Tinyproxy(self.directory, user=ANN) as proxy:
            self.assert_echoed(self.through(proxy, who=ANN))
            self.assert_refused(self.through(proxy), "407", "Basic")
            self.assert_refused(self.through(proxy, who=("ann", "wrong")), "refused")

    def test_tinyproxy_that_refuses(self):
        with Tinyproxy(self.directory, refused="127.0.0.1") as proxy:
            self.assert_refused(self.through(proxy), "403", f"http://localhost:{proxy.port}")

    def test_tinyproxy_that_reaches_nobody(self):
        with Tinyproxy(self.directory) as proxy:
            self.assert_refused(self.through(proxy, url=self.nowhere()), "refused", "(50")

    # SOCKS5

    def test_microsocks(self):
        with Microsocks(self.directory) as proxy:
            for scheme in ("socks5", "socks5h"):
                self.assert_echoed(self.through(proxy, scheme=scheme))
            self.assert_echoed(self.through(proxy, *self.believing(), scheme="socks5",
                                            url=self.secure_url))
            self.assertTrue(proxy.says(f":{self.server.port}"))

    def test_microsocks_that_wants_to_know_who_asks(self):
        with Microsocks(self.directory, user=ANN) as proxy:
            self.assert_echoed(self.through(proxy, scheme="socks5", who=ANN))
            self.assert_refused(self.through(proxy, scheme="socks5"), "no user is given")
            self.assert_refused(self.through(proxy, scheme="socks5", who=("ann", "wrong")),
                                "does not accept this user and password")

    def test_microsocks_that_reaches_nobody(self):
        with Microsocks(self.directory) as proxy:
            self.assert_refused(self.through(proxy, scheme="socks5", url=self.nowhere()),
                                "the host refused the connection")
            self.assert_refused(self.through(proxy, scheme="socks5", url="ws://missing.invalid/"),
                                f"socks5://localhost:{proxy.port} for missing.invalid:80")

    # HTTPS: stunnel before tinyproxy, and TLS within TLS

    def test_stunnel(self):
        with Tinyproxy(self.directory, user=ANN) as behind, \
                Stunnel(self.directory, behind, self.certificate.both) as proxy:
            self.assert_echoed(self.through(proxy, *self.believing(), scheme="https", who=ANN))
            self.assert_echoed(self.through(proxy, *self.believing(), scheme="https", who=ANN,
                                            url=self.secure_url))
            self.assertTrue(behind.says(f"CONNECT localhost:{self.secure_port} HTTP/1.1"))
            self.assert_refused(self.through(proxy, *self.believing(), scheme="https"), "407")

    def test_stunnel_that_nobody_vouches_for(self):
        with Tinyproxy(self.directory) as behind, \
                Stunnel(self.directory, behind, self.certificate.both) as proxy:
            self.assert_refused(self.through(proxy, scheme="https"), "certificate")
            self.assertNotIn("Request", behind.log.read_text())

    # Nobody

    def test_proxies_that_are_not_there_or_are_none(self):
        port = free_port()
        self.assert_refused(self.call("--proxy", f"http://127.0.0.1:{port}"), f"127.0.0.1:{port}",
                            "Connection refused")
        for scheme in ("http", "socks5"):
            self.assert_refused(self.through(self.server, scheme=scheme), "proxy")
        self.assert_refused(self.call("--proxy", "gopher://localhost:1"), "gopher")

    # The environment

    def test_the_environment_names_the_proxy(self):
        url = f"ws://far.test:{self.server.port}/echo"
        with Everywhere(self.server.port) as proxy:
            named = {"http_proxy": f"http://127.0.0.1:{proxy.port}"}
            self.assert_echoed(self.call(url=url, **named))
            self.assertEqual(proxy.asked, [f"far.test:{self.server.port}"])
            self.assert_echoed(self.call(url=url, all_proxy=named["http_proxy"]))
            self.assertEqual(len(proxy.asked), 2)
            for way_round in ({"no_proxy": "far.test"}, {"REQUEST_METHOD": "GET"}):
                variables = {"HTTP_PROXY": named["http_proxy"], **way_round}
                self.assert_refused(self.call(url=url, **variables), "far.test")
            self.assert_refused(self.call("--proxy", "none", url=url, **named), "far.test")
            self.assert_echoed(self.call(**named))  # this machine
            self.assertEqual(len(proxy.asked), 2)


if __name__ == "__main__":
    hotline_server.main()
