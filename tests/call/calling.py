"""What the tests of `hotline call` share: the program as a child process."""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from hotline_server import PATIENCE, program  # noqa: E402

CLEAN, FAILED, USAGE, REFUSED, LOST, NOT_BELIEVED = range(6)


def environment(**changes):
    """As a person has it, but for what would lead elsewhere."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    kept.update(changes)
    return kept


def start(*arguments, **options):
    """The program as a child, its three ends pipes."""
    pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
    return subprocess.Popen([program(), "call", *arguments],
                            **{**pipes, "env": environment(), **options})


def call(*arguments, lines=b"", **options):
    """Runs it with that input to its end, which is to come by itself; `output`, `errors` and
    `status` of it."""
    child = start(*arguments, **options)
    try:
        child.output, errors = child.communicate(lines, timeout=PATIENCE)
    finally:
        child.kill()
        child.wait()
    child.errors = errors.decode()
    child.status = child.returncode
    return child
