"""Certificates for tests' servers on loopback."""

import pathlib
import subprocess
import typing


class Certificate(typing.NamedTuple):
    chain: pathlib.Path  # what a client is to believe, too
    key: pathlib.Path
    both: pathlib.Path

    @property
    def served(self):
        """What makes `hotline serve` show it."""
        return ("--tls-cert", str(self.chain), "--tls-key", str(self.key))


def make_certificate(directory, name="localhost"):
    """A self-signed one for localhost and 127.0.0.1, with its key, in `directory`."""
    made = Certificate(*(directory / f"{name}.{end}" for end in ("crt", "key", "pem")))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", made.key, "-out", made.chain, "-days", "2", "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    made.both.write_bytes(made.chain.read_bytes() + made.key.read_bytes())
    return made
