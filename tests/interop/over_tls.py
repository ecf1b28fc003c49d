"""For tests of clients: the same with a server that speaks TLS."""

import pathlib
import tempfile

import certificates


class OverTls:
    """`served`: further arguments of the server; `ca`: the file that clients are to believe."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        certificate = certificates.make_certificate(pathlib.Path(directory.name))
        cls.served = certificate.served
        cls.ca = (str(certificate.chain),)
