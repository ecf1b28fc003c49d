"""docs/call.md, the manual page and the shells' completions have every option, and no other."""

import pathlib
import re
import subprocess
import unittest

import calling  # noqa: F401 (finds the support)
import hotline_server
from hotline_server import PATIENCE, program, run

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MANUAL = ROOT / "packaging" / "hotline.1"


def options_of(command):
    """Those of its help: where one is explained, at the beginning of its line."""
    return set(re.findall(r"^ +(?:-\w,\s*)?(--[a-z][a-z-]+)", run(command, "--help").stdout,
                          re.MULTILINE)) - {"--help"}


def completed(shell, command):
    """What the shell says to that command."""
    done = subprocess.run([*shell, command], capture_output=True, text=True, timeout=PATIENCE,
                          cwd="/", check=False)
    if done.stderr:
        raise AssertionError(done.stderr)
    return done.stdout.splitlines()


class Documented(unittest.TestCase):
    def test_the_page_has_the_options_of_call(self):
        page = (ROOT / "docs" / "call.md").read_text()
        shown = set(re.findall(r"^\| `(--[a-z][a-z-]+)", page, re.MULTILINE))
        self.assertEqual(options_of("call"), shown)

    def test_the_manual_has_the_options_of_both(self):
        text = MANUAL.read_text()
        for command in ("call", "serve"):
            section = text.partition(f".Sh OPTIONS OF {command.upper()}\n")[2].partition("\n.Sh ")[0]
            shown = {"--" + name for name in re.findall(r"^\.It Fl -([a-z-]+)", section,
                                                        re.MULTILINE)}
            self.assertEqual(options_of(command), shown, command)

    def test_the_manual_is_well_formed(self):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", MANUAL],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual((done.stdout, done.returncode), ("", 0))


class Completions(unittest.TestCase):
    def test_another_shell_is_refused(self):
        ended = run("completions", "tcsh")
        self.assertEqual((ended.returncode, ended.stdout), (2, ""))
        self.assertIn('"tcsh" is not bash, zsh or fish', ended.stderr)

    def in_bash(self, *words):
        command = (f"source <('{program()}' completions bash); COMP_WORDS=({' '.join(words)}); "
                   f"COMP_CWORD={len(words) - 1}; compopt() {{ :; }}; _hotline; "
                   "printf '%s\\n' \"${COMPREPLY[@]}\"")
        return set(completed(["bash", "--norc", "-c"], command)) - {""}

    def test_bash_completes(self):
        self.assertEqual(self.in_bash("hotline", "''"),
                         {"serve", "call", "completions", "--help", "--version"})
        self.assertEqual(self.in_bash("hotline", "call", "--c"),
                         {name for name in options_of("call") if name.startswith("--c")})
        for command in ("serve", "call"):
            self.assertEqual(self.in_bash("hotline", command, "--") - {"--help"},
                             options_of(command))
        self.assertEqual(self.in_bash("hotline", "serve", "--log-level", "e"), {"error"})
        self.assertEqual(self.in_bash("hotline", "serve", "--static", "/us"), {"/usr"})
        self.assertEqual(self.in_bash("hotline", "call", "--ca", "/etc/host"),
                         {str(path) for path in pathlib.Path("/etc").glob("host*")})
        self.assertEqual(self.in_bash("hotline", "call", "--origin", "''"), set())
        self.assertEqual(self.in_bash("hotline", "completions", "z"), {"zsh"})

    def in_fish(self, line):
        command = f"source ('{program()}' completions fish | psub); complete -C '{line}'"
        return {line.split("\t")[0] for line in completed(["fish", "--no-config", "-c"], command)}

    def test_fish_completes(self):
        self.assertEqual(self.in_fish("hotline "), {"serve", "call", "completions"})
        for command in ("serve", "call"):
            self.assertEqual(self.in_fish(f"hotline {command} --") - {"--help"},
                             options_of(command))
        self.assertEqual(self.in_fish("hotline serve --log-level e"), {"error"})

    def in_zsh(self, *words):
        # _arguments of zsh's own completion needs its line editor; what it is told is looked at.
        command = (f"'{program()}' completions zsh > /dev/null; words=({' '.join(words)}); "
                   f"CURRENT={len(words)}; _arguments() {{ print -l -- \"$@\" }}; "
                   f"_describe() {{ print -l -- $commands }}; source <('{program()}' completions zsh)")
        return completed(["zsh", "-f", "-c"], command)

    def test_zsh_is_told_all(self):
        self.assertEqual([line.split(":")[0] for line in self.in_zsh("hotline", "''")],
                         ["serve", "call", "completions"])
        for command in ("serve", "call"):
            told = self.in_zsh("hotline", command, "--")
            names = {re.match(r"\*?(--[a-z-]+)\[", line)[1] for line in told
                     if line.lstrip("*").startswith("--")}
            self.assertEqual(names - {"--help"}, options_of(command))
            self.assertIn("*--origin[" if command == "serve" else "--origin[", "\n".join(told))


if __name__ == "__main__":
    hotline_server.main()
