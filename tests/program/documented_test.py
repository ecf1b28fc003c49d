"""docs/serving.md has every option of `hotline serve`, and no other."""

import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import hotline_server

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


class Documented(unittest.TestCase):
    def test_the_options_of_the_help_are_those_of_the_page(self):
        done = subprocess.run([hotline_server.program(), "serve", "--help"], capture_output=True,
                              text=True, timeout=hotline_server.PATIENCE)
        # Where an option is explained: at the beginning of its line.
        known = {match[1] for match in re.finditer(r"^ +(?:-\w,\s*)?(--[a-z][a-z-]+)", done.stdout,
                                                   re.MULTILINE)}
        self.assertIn("--listen", known)
        page = (ROOT / "docs" / "serving.md").read_text()
        shown = set(re.findall(r"^\| `(--[a-z][a-z-]+)", page, re.MULTILINE))
        self.assertEqual(known - {"--help"}, shown)
        mentioned = set(OPTION.findall(page.partition("## With systemd")[0]))
        self.assertEqual(mentioned - known, set())


if __name__ == "__main__":
    hotline_server.main()
