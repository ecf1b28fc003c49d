"""A terminal of tmux, with a shell's command in it: keys go in, and what is on the screen can be
looked at."""

import os
import shlex
import subprocess
import tempfile
import time

from calling import environment
from hotline_server import PATIENCE, program


class Terminal:
    """Leaving its `with` ends what runs in it."""

    def __init__(self, command, width=80, height=24, **variables):
        self.directory = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.socket = os.path.join(self.directory.name, "tmux")
        self.state = variables.pop("state", self.directory.name)
        self.environment = environment(HOME=self.directory.name, XDG_STATE_HOME=self.state,
                                       LC_ALL="C.UTF-8", SHELL="/bin/sh", **variables)
        for name in ("TMUX", "NO_COLOR"):
            if name not in variables:
                self.environment.pop(name, None)
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height),
                   command)

    @classmethod
    def of_call(cls, *arguments, **options):
        """`hotline call` there; its status, and whether the terminal is as it was, stay on the
        screen behind it."""
        words = " ".join(shlex.quote(word) for word in (program(), "call", *arguments))
        return cls(f"ulimit -c 0; trap : INT QUIT; stty -a > modes; {words}; echo status $?; stty -a | cmp - modes && "
                   "echo as before; exec sleep 1000", **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._tmux("kill-server")
        self.directory.cleanup()

    def type(self, text):
        self._tmux("send-keys", "-l", text)

    def press(self, *keys):
        """Names as tmux has them: Enter, Left, C-c."""
        self._tmux("send-keys", *keys)

    def paste(self, text):
        self._tmux("set-buffer", text)
        self._tmux("paste-buffer")

    def resize(self, width, height=24):
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def lines(self, colours=False, history=False):
        """The screen's lines, down to the last that has anything; `history`: with those above it."""
        text = self._tmux("capture-pane", "-p", *(["-e"] if colours else []),
                          *(["-S", "-"] if history else []))
        lines = [line.rstrip() for line in text.split("\n")]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def wait_for(self, condition, **options):
        """Until the condition holds of the lines; those."""
        end = time.monotonic() + PATIENCE
        while not condition(lines := self.lines(**options)):
            if time.monotonic() > end:
                raise AssertionError("never came; on the screen is:\n" + "\n".join(lines))
            time.sleep(0.02)
        return lines

    def wait_for_line(self, line):
        return self.wait_for(lambda lines: line in lines)

    def wait_for_last(self, *last):
        """Until the screen ends with these lines."""
        return self.wait_for(lambda lines: lines[-len(last):] == list(last))

    def _tmux(self, *arguments):
        done = subprocess.run(["tmux", "-S", self.socket, *arguments], env=self.environment,
                              cwd=self.directory.name, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        if done.returncode:
            raise AssertionError(f"tmux {arguments}: {done.stderr}")
        return done.stdout
