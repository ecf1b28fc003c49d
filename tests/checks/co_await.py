"""Finds what g++ 12 compiles wrongly around co_await.

    co_await.py ROOT BUILD_DIRECTORY

Twice destroyed: aggregates built in place inside a co_await expression, default arguments of that
kind, capturing lambdas, and objects made by a `?:` there. A frame without room: a co_await in the condition of an if, a loop or a
switch, in a coroutine that declares no variable anywhere (`while (co_await connection.read()) {}`,
nothing else; it crashes when it is resumed). Every source that says co_await is read by clang-query
with the build's own compile commands.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

CLANG_QUERY = os.environ.get("CLANG_QUERY", "clang-query-19")

AGGREGATE = "initListExpr(hasType(hasUnqualifiedDesugaredType(recordType())))"
CAPTURING_LAMBDA = "lambdaExpr(hasAnyCapture(lambdaCapture()))"
AWAITING_CONDITION = "hasCondition(expr(anyOf(coawaitExpr(), hasDescendant(coawaitExpr()))))"
STATEMENTS = ", ".join(
    f"{kind}Stmt({AWAITING_CONDITION})" for kind in ("if", "while", "do", "for", "switch"))
QUERY = f"""set output diag
match coawaitExpr(unless(isExpansionInSystemHeader()), \
hasDescendant(expr(anyOf({AGGREGATE}, {CAPTURING_LAMBDA}))))
match stmt(anyOf({STATEMENTS}), unless(isExpansionInSystemHeader()), \
hasAncestor(coroutineBodyStmt(hasBody(compoundStmt(unless(hasDescendant(declStmt())))))))
match coawaitExpr(unless(isExpansionInSystemHeader()), \
hasDescendant(conditionalOperator(hasType(hasUnqualifiedDesugaredType(recordType())), \
hasDescendant(cxxBindTemporaryExpr()))))
"""

# Not compiled by the build, on purpose.
APART = ("tests/misuse/", "tests/package/", "tests/checks/")


def query(source, compilation):
    """The complaints of clang-query about one file; compilation are its last arguments."""
    with tempfile.NamedTemporaryFile("w", suffix=".query") as commands:
        commands.write(QUERY)
        commands.flush()
        answer = subprocess.run(
            [CLANG_QUERY, "-f", commands.name, str(source), *compilation],
            capture_output=True, text=True, check=False)
    errors = [line for line in (answer.stdout + answer.stderr).splitlines() if "error:" in line]
    answered = len(re.findall(r"^\d+ match", answer.stdout, re.MULTILINE))
    if answer.returncode or errors or answered != QUERY.count("\nmatch "):
        return [f"{source}: clang-query failed", *(errors or [answer.stdout, answer.stderr])]
    return [
        line.replace('note: "root" binds here', "g++ 12 compiles this co_await wrongly")
        for line in answer.stdout.splitlines() if '"root" binds here' in line]


def arguments_of(entry):
    """A compile command's own flags, without the compiler, the output and the source."""
    words = entry.get("arguments") or shlex.split(entry["command"])
    kept = []
    skip = True  # the launcher and the compiler, up to the first flag
    words = iter(words)
    for word in words:
        if skip and not word.startswith("-"):
            continue
        skip = False
        if word in ("-o", "-c", "-MF", "-MT", "-MQ"):
            if word != "-c":
                next(words)
        elif word not in ("-MD", "-MMD", "-Werror") and word != entry["file"]:
            kept.append(word)
    return kept


def sources_with_co_await(root):
    for directory in ("src", "tools", "examples", "tests", "bench"):
        for file in sorted((root / directory).rglob("*.cc")):
            if not file.relative_to(root).as_posix().startswith(APART):
                if re.search(r"\bco_await\b", file.read_text(encoding="utf-8")):
                    yield file


INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


class Known:
    """Which sources were found in order before, by all of ours that they consist of: each takes
    clang-query seconds. Kept in the user's cache, for all checkouts."""

    def __init__(self, root, build):
        self.root, self.build = root, build
        self.directory = pathlib.Path(
            os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "hotline", "co_await")
        self.texts = {}

    def text(self, file):
        if file not in self.texts:
            self.texts[file] = file.read_text(encoding="utf-8")
        return self.texts[file]

    def files(self, source):
        """The source, and what it includes of this project, in some order of its own."""
        found, waiting = [source], [source]
        while waiting:
            file = waiting.pop()
            for name in INCLUDE.findall(self.text(file)):
                for directory in ("include", "src", "tests", file.parent):
                    header = self.root / directory / name
                    if header.is_file():
                        if header not in found:
                            found.append(header)
                            waiting.append(header)
                        break
        return found

    def stamp(self, source, arguments):
        text = [QUERY, CLANG_QUERY, *arguments, *map(self.text, self.files(source))]
        where = "\0".join(text).replace(str(self.build), "").replace(str(self.root), "")
        return self.directory / hashlib.sha256(where.encode()).hexdigest()


def main():
    root, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    entries = json.loads((build / "compile_commands.json").read_text())
    commands = {entry["file"]: entry for entry in entries}
    sources = list(sources_with_co_await(root))
    # Headers that say co_await are read once, on their own.
    for header in sorted((root / "include").rglob("*.h")):
        if "co_await" in header.read_text(encoding="utf-8"):
            name = header.relative_to(root / "include").as_posix().replace("/", "_") + ".cc"
            sources.append(build / "tests" / "checks" / name)

    problems = []
    known = Known(root, build)

    def look_at(source):
        entry = commands.get(str(source))
        if not entry:
            return [f"{source}: says co_await, but is not compiled by this build"]
        arguments = arguments_of(entry)
        stamp = known.stamp(source, arguments)
        if stamp.exists():
            return []
        found = query(source, ["--", *arguments, "-w"])
        if not found:
            try:
                stamp.parent.mkdir(parents=True, exist_ok=True)
                stamp.touch()
            except OSError:
                pass  # then it is looked at again
        return found

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(look_at, sources):
            problems += found
    print("\n".join(problems) or f"no such co_await in {len(sources)} files")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
