"""What the documents link to is there: files, and headings in them.

    links.py ROOT PATTERN...
"""
import pathlib
import re
import sys

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def anchors(text):
    """Those that the headings of a document have, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def complaints(root, patterns):
    found = []
    for document in sorted(file for pattern in patterns for file in root.glob(pattern)):
        text = document.read_text(encoding="utf-8")
        for link in LINK.findall(CODE.sub("", text)):
            path, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:", link):
                continue  # elsewhere: nothing here depends on the network
            target = document.parent / path if path else document
            where = f"{document.relative_to(root)}: {link}"
            if not target.exists():
                found.append(f"{where}: there is no such file")
            elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
                found.append(f"{where}: there is no such heading")
    return found


if __name__ == "__main__":
    problems = complaints(pathlib.Path(sys.argv[1]), sys.argv[2:])
    print("\n".join(problems) or "every link leads somewhere")
    sys.exit(1 if problems else 0)
