"""Other people's servers that a test runs, on loopback and on free ports."""

import os
import signal
import socket
import subprocess

from hotline_server import PATIENCE
from raw_peer import eventually


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class OtherProgram:
    """A server of somebody else's that runs. Leaving its `with` ends it."""

    def __init__(self, directory):
        self.directory = directory
        self.port = free_port()
        command = self.command()
        self.log = directory / f"{type(self).__name__}-{self.port}.log"
        with open(self.log, "wb") as log:
            # A group of its own: the processes that it starts end with it.
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=directory, env=self.environment(),
                                            start_new_session=True)
        if not eventually(self.listens) or self.process.poll() is not None:
            self.end()
            raise AssertionError(f"{command} did not start:\n{self.log.read_text()}")

    def command(self):
        """The words that start it on its port; its files are written here, too."""
        raise NotImplementedError

    def environment(self):
        return {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}

    def listens(self):
        if self.process.poll() is not None:
            return True  # what follows will say that it has ended
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def end(self):
        """Ends it; where it will not go by itself, with what it started, which is of its group."""
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def says(self, text):
        """Whether its log comes to say so."""
        return eventually(lambda: text in self.log.read_text())
