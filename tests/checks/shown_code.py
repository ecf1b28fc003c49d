"""The code that the documents show is code that is compiled, and a configuration one that is tested.

    shown_code.py ROOT DOCUMENT...

Every ```cpp block of a document must stand, line by line, in a file of examples/ or tests/package/;
a block of a proxy's configuration in its file of docs/proxies/. A document may be a pattern, such as
docs/*.md. (C++ that is somebody else's is marked ```c++.)
"""
import pathlib
import re
import sys
import textwrap

# Where the code of a language must stand.
SOURCES = {"cpp": ("examples/**/*.cc", "tests/package/**/*.cc"),
           "nginx": ("docs/proxies/nginx.conf",),
           "haproxy": ("docs/proxies/haproxy*.cfg",),
           "caddyfile": ("docs/proxies/Caddyfile",)}
BLOCK = re.compile(rf"^```({'|'.join(SOURCES)})\n(.*?)^```", re.MULTILINE | re.DOTALL)


def sources(root):
    """language -> the code of each of its files."""
    return {language: [without_indentation(file.read_text(encoding="utf-8"))
                       for pattern in patterns for file in root.glob(pattern)]
            for language, patterns in SOURCES.items()}


def without_indentation(code):
    return "\n".join(line.strip() for line in code.splitlines() if line.strip())


def complaints(root, patterns):
    known = sources(root)
    found = []
    for pattern in patterns:
        documents = sorted(root.glob(pattern))
        if not documents:
            found.append(f"{pattern}: there is no such document")
        for document in documents:
            text = document.read_text(encoding="utf-8")
            for block in BLOCK.finditer(text):
                code = without_indentation(block[2])
                if not any(code in file for file in known[block[1]]):
                    line = text.count("\n", 0, block.start()) + 1
                    found.append(f"{document.relative_to(root)}:{line}: "
                                 f"none of {', '.join(SOURCES[block[1]])} has this:\n"
                                 + textwrap.indent(block[2], "    "))
    return found


if __name__ == "__main__":
    problems = complaints(pathlib.Path(sys.argv[1]), sys.argv[2:])
    print("\n".join(problems) or "what is shown is compiled or tested")
    sys.exit(1 if problems else 0)
