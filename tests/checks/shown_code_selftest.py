"""The check of shown code lets excerpts of examples pass, and catches what none has."""
import pathlib
import tempfile
import unittest

from shown_code import complaints


class ShownCode(unittest.TestCase):
    def found(self, document):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            (root / "examples").mkdir()
            (root / "examples" / "a.cc").write_text("int main() {\n\n  run();\n  stop();\n}\n")
            (root / "README.md").write_text(document)
            return complaints(root, ["README.md"])

    def test_an_excerpt_of_an_example_passes(self):
        self.assertEqual(self.found("Run:\n```cpp\nrun();\nstop();\n```\nend\n"), [])

    def test_other_languages_pass(self):
        self.assertEqual(self.found("```sh\n./run\n```\n"), [])

    def test_code_that_no_example_has_is_caught(self):
        found = self.found("```cpp\nrun();\n```\n\n```cpp\nrun();\nrun();\n```\n")
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith("README.md:5:"), found)


if __name__ == "__main__":
    unittest.main()
