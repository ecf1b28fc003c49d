"""The check of docs/limits.md reads defaults as they are written, and catches what differs."""
import unittest

from limits_shown import complaints, defaults

HEADER = """
struct Options {
  /// Not a limit.
  std::uint16_t port = 8080;
  std::string name = "x";
  std::size_t bytes = 16 * 1024;
  std::uint64_t size = std::uint64_t{1} << 20;
  std::chrono::milliseconds patience{10'000};
  std::chrono::seconds pause{10};
};
"""
DOCUMENT = """
## Of it: `its::Options`

| limit | default |
|---|---|
| `bytes` | 16 KiB |
| `size` | 1 MiB |
| `patience` | 10 s |
| `pause` | 10 s, more or less |

## Else
| `other` | 1 |
"""


class LimitsShown(unittest.TestCase):
    def found(self, document=DOCUMENT, header=HEADER):
        return complaints(document, [("its::Options", defaults(header, "Options"))])

    def test_what_agrees_passes(self):
        self.assertEqual(self.found(), [])

    def test_a_limit_without_a_row_is_caught(self):
        found = self.found(document=DOCUMENT.replace("| `bytes` | 16 KiB |\n", ""))
        self.assertEqual(len(found), 1)
        self.assertIn("`bytes`", found[0])

    def test_a_row_without_a_limit_is_caught(self):
        self.assertEqual(len(self.found(header=HEADER.replace("bytes", "octets"))), 2)

    def test_another_default_is_caught(self):
        for old, new in (("16 *", "8 *"), ("<< 20", "<< 21"), ("10'000", "10'001")):
            self.assertEqual(len(self.found(header=HEADER.replace(old, new))), 1, new)


if __name__ == "__main__":
    unittest.main()
