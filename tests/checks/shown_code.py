"""The code that the documents show is code that is compiled.

    shown_code.py ROOT DOCUMENT...

Every ```cpp block of a document must stand, line by line, in a file of examples/ or tests/package/.
"""
import pathlib
import re
import sys
import textwrap

BLOCK = re.compile(r"^```cpp\n(.*?)^```", re.MULTILINE | re.DOTALL)


def compiled_code(root):
    files = [*(root / "examples").rglob("*.cc"), *(root / "tests" / "package").rglob("*.cc")]
    return [without_indentation(file.read_text(encoding="utf-8")) for file in files]


def without_indentation(code):
    return "\n".join(line.strip() for line in code.splitlines() if line.strip())


def complaints(root, documents):
    compiled = compiled_code(root)
    found = []
    for document in documents:
        text = (root / document).read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            code = without_indentation(block[1])
            if not any(code in file for file in compiled):
                line = text.count("\n", 0, block.start()) + 1
                found.append(f"{document}:{line}: no example has this:\n"
                             + textwrap.indent(block[1], "    "))
    return found


if __name__ == "__main__":
    problems = complaints(pathlib.Path(sys.argv[1]), sys.argv[2:])
    print("\n".join(problems) or "what is shown is compiled")
    sys.exit(1 if problems else 0)
