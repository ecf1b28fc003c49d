"""The check of shown code lets excerpts of examples pass, and catches what none has."""
import pathlib
import tempfile
import unittest

from shown_code import complaints


class ShownCode(unittest.TestCase):
    def found(self, document, pattern="*.md"):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            (root / "examples").mkdir()
            (root / "examples" / "a.cc").write_text("int main() {\n\n  run();\n  stop();\n}\n")
            (root / "docs" / "proxies").mkdir(parents=True)
            (root / "docs" / "proxies" / "nginx.conf").write_text("listen 443;\n")
            (root / "README.md").write_text(document)
            return complaints(root, [pattern])

    def test_an_excerpt_of_an_example_passes(self):
        self.assertEqual(self.found("Run:\n```cpp\nrun();\nstop();\n```\nend\n"), [])

    def test_other_languages_pass(self):
        self.assertEqual(self.found("```sh\n./run\n```\n"), [])

    def test_code_that_no_example_has_is_caught(self):
        found = self.found("```cpp\nrun();\n```\n\n```cpp\nrun();\nrun();\n```\n")
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith("README.md:5:"), found)

    def test_a_configuration_stands_in_the_file_of_its_proxy(self):
        self.assertEqual(self.found("```nginx\nlisten 443;\n```\n"), [])
        self.assertEqual(len(self.found("```nginx\nlisten 80;\n```\n")), 1)
        self.assertEqual(len(self.found("```haproxy\nlisten 443;\n```\n")), 1)

    def test_a_document_that_is_not_there_is_caught(self):
        self.assertEqual(len(self.found("", pattern="docs/*.md")), 1)


if __name__ == "__main__":
    unittest.main()
