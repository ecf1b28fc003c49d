"""Certificates for tests, made by `openssl`: an authority and what it signs, in a directory."""

import pathlib
import subprocess
import tempfile


def _openssl(*arguments, directory):
    done = subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60)
    if done.returncode:
        raise AssertionError(f"openssl {arguments}: {done.stderr}")


class Authority:
    def __init__(self, name="Test Authority"):
        self._directory = tempfile.TemporaryDirectory(prefix="hotline-certificates-")
        self.path = pathlib.Path(self._directory.name)
        self.path.joinpath("index.txt").touch()
        self.path.joinpath("ca.cnf").write_text(
            "[ca]\ndefault_ca=one\n[one]\ndatabase=index.txt\ndefault_md=sha256\n"
            "default_crl_days=30\n")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", f"/CN={name}",
                 directory=self.path)
        self.ca = str(self.path / "ca.pem")

    def close(self):
        self._directory.cleanup()

    def issue(self, name, names=None, stem=None):
        """(certificate file, key file). `names`: "DNS:a,IP:127.0.0.1"."""
        stem = stem or name.replace("*", "star")
        (self.path / f"{stem}.cnf").write_text(
            f"subjectAltName={names or 'DNS:' + name}\nbasicConstraints=CA:FALSE\n")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-keyout", f"{stem}.key", "-out", f"{stem}.csr", "-subj", f"/CN={name}",
                 directory=self.path)
        _openssl("x509", "-req", "-in", f"{stem}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                 "-days", "10", "-out", f"{stem}.pem", "-extfile", f"{stem}.cnf",
                 directory=self.path)
        return str(self.path / f"{stem}.pem"), str(self.path / f"{stem}.key")

    def revoke(self, *certificates):
        """The file of the authority's list, with these on it."""
        signer = ("-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key")
        for certificate in certificates:
            _openssl("ca", *signer, "-revoke", certificate, directory=self.path)
        _openssl("ca", *signer, "-gencrl", "-out", "crl.pem", directory=self.path)
        return str(self.path / "crl.pem")
