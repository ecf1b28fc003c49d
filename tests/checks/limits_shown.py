"""docs/limits.md has a row for every limit of the options, with its default.

    limits_shown.py ROOT

A limit is a member that is a time, a size or a count; its row begins | `name` | default |.
"""
import pathlib
import re
import sys

# header, the struct in it, the heading of its table
TABLES = (("include/hotline/websocket/limits.h", "Limits", "websocket::Limits"),
          ("include/hotline/http/server.h", "ServerOptions", "http::ServerOptions"),
          ("include/hotline/websocket/dialer.h", "DialerOptions", "websocket::DialerOptions"),
          ("include/hotline/websocket/cookie_jar.h", "CookieJarOptions",
           "websocket::CookieJarOptions"))
# Numbers that bound nothing.
NO_LIMITS = {"port", "threads"}
MEMBER = re.compile(
    r"^  (?:std::chrono::(\w+)|std::(?:size_t|uint\d+_t)|unsigned) (\w+)\s*(?:= *|\{)(.+?)\}?;$",
    re.MULTILINE)
MILLISECONDS = {"milliseconds": 1, "seconds": 1000, "minutes": 60_000, "hours": 3_600_000}
UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20,
         "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}


def value(expression):
    """Of `16 * 1024`, `100'000`, `std::uint64_t{1} << 20`."""
    plain = re.sub(r"std::\w+\{(\d+)\}", r"\1", expression).replace("'", "")
    if not re.fullmatch(r"[\d\s*<]+", plain):
        raise ValueError(f"cannot read the default {expression!r}")
    return eval(plain)  # digits, blanks, * and << only


def defaults(header, struct):
    """name -> default, in bytes, milliseconds or as a count."""
    body = re.search(rf"^struct {struct} \{{\n(.*?)^\}};", header, re.MULTILINE | re.DOTALL)[1]
    return {match[2]: value(match[3]) * MILLISECONDS.get(match[1], 1)
            for match in MEMBER.finditer(body) if match[2] not in NO_LIMITS}


def shown(document, heading):
    """The same, of the table below the heading."""
    section = document.partition(f"`{heading}`\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) ?(\w*)", section, re.MULTILINE)
    return {name: int(number.replace(",", "")) * UNITS[unit] for name, number, unit in rows}


def complaints(document, tables):
    """`tables`: (heading, name -> default)."""
    found = []
    for heading, wanted in tables:
        rows = shown(document, heading)
        for name, default in wanted.items():
            if name not in rows:
                found.append(f"docs/limits.md: {heading} has no row for `{name}`")
            elif rows[name] != default:
                found.append(f"docs/limits.md: the default of `{name}` is not {rows[name]}, "
                             f"but {default}")
        found += [f"docs/limits.md: there is no {heading}::{name}" for name in rows.keys() - wanted]
    return found


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1])
    problems = complaints((root / "docs/limits.md").read_text(), [
        (heading, defaults((root / header).read_text(), struct))
        for header, struct, heading in TABLES])
    print("\n".join(problems) or "docs/limits.md has every limit and its default")
    sys.exit(1 if problems else 0)
