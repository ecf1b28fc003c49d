"""The program `hotline serve` as a child process, and what the system knows about it."""

import functools
import os
import pathlib
import re
import resource
import select
import signal
import subprocess
import sys
import unittest

# Generous: no test is about speed, and a loaded machine is not a defect.
PATIENCE = 20

_program = None


def program():
    """The program under test."""
    return _program


@functools.cache
def sanitized():
    """Whether the program is built with a sanitizer: such a one says nothing about memory."""
    binary = pathlib.Path(program()).read_bytes()
    return any(mark in binary for mark in (b"libasan", b"libtsan", b"AddressSanitizer",
                                           b"ThreadSanitizer"))


def main():
    """Runs the calling module's tests: the first argument is the program, the rest unittest's."""
    global _program
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit(f"usage: {pathlib.Path(sys.argv[0]).name} PROGRAM [TEST...]")
    _program = os.path.abspath(sys.argv.pop(1))
    unittest.main(module="__main__")


def run(*arguments):
    """Runs the program to its end, which is to come by itself."""
    return subprocess.run([program(), *arguments], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=PATIENCE)


class Server:
    """A running server. Leaving its `with` ends it, whatever has become of it."""

    def __init__(self, *arguments, threads=1, listen="127.0.0.1:0", log_level="error", drain="10s",
                 descriptors=None, environment=None):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.process = subprocess.Popen(
            [program(), "serve", "--listen", listen, "--threads", str(threads), "--log-level",
             log_level, "--drain-timeout", drain, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})},
            preexec_fn=limit if descriptors else None)
        self.pid = self.process.pid
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        self.line = self.process.stdout.readline() if ready else ""
        if "hotline echoes on " not in self.line:
            self.process.kill()
            raise AssertionError(f"the server did not start: {self.process.communicate()}")
        self.ending = False
        place = re.search(r"wss?://([^/]+:(\d+))/echo", self.line)
        if not place:
            return  # on unix sockets only
        self.url, self.authority, self.port = place[0], place[1], int(place[2])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def signal(self, number=signal.SIGTERM):
        self.ending = self.ending or number in (signal.SIGTERM, signal.SIGINT)
        self.process.send_signal(number)

    def wait(self, timeout=PATIENCE):
        """The status it ends with."""
        return self.process.wait(timeout)

    def stop(self):
        """Drains it, unless it has been told to end already: (status, what it said on stderr)."""
        if not self.ending:
            self.signal()
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory(self):
        """Bytes of anonymous memory."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return 1024 * next(int(line.split()[1]) for line in status.splitlines()
                           if line.startswith("RssAnon:"))

    def writable_memory(self):
        """All that is in its memory, but for what it cannot have written to."""
        found = []
        with open(f"/proc/{self.pid}/maps") as maps, open(f"/proc/{self.pid}/mem", "rb") as memory:
            for line in maps:
                place, rights = line.split()[:2]
                if rights.startswith("rw"):
                    begin, end = (int(part, 16) for part in place.split("-"))
                    memory.seek(begin)
                    found.append(memory.read(end - begin))
        return b"".join(found)

    def cpu_seconds(self):
        ticks = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
