"""The check of links lets good ones pass, and catches those that lead nowhere."""
import pathlib
import tempfile
import unittest

from links import complaints


class Links(unittest.TestCase):
    def found(self, text):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            (root / "docs").mkdir()
            (root / "docs" / "a.md").write_text("# A heading, with `code`\n")
            (root / "b.md").write_text(text)
            return complaints(root, ["*.md", "docs/*.md"])

    def test_good_ones_pass(self):
        self.assertEqual(self.found("[a](docs/a.md) [a](docs/a.md#a-heading-with-code) [d](docs)\n"
                                    "# Here\n[h](#here) [e](https://example.org/x#y)\n"), [])

    def test_what_is_code_is_no_link(self):
        self.assertEqual(self.found("`[a](nowhere)`\n```cpp\n[](Exchange)\n```\n"), [])

    def test_a_file_that_is_not_there_is_caught(self):
        self.assertEqual(len(self.found("[c](docs/c.md)")), 1)

    def test_a_heading_that_is_not_there_is_caught(self):
        self.assertEqual(len(self.found("[a](docs/a.md#another)")), 1)
        self.assertEqual(len(self.found("# Here\n[a](#there)")), 1)


if __name__ == "__main__":
    unittest.main()
