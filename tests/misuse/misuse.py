"""Compiles a snippet of misuse, which must fail, and its control, which must not.

    misuse.py COMPILER INCLUDE_DIRECTORY SNIPPET

A line of the snippet that ends in `// error: TEXT` must be an error whose message contains TEXT;
`TEXT | OTHER` where g++ and clang++ differ. No other line may be one. The control is the snippet
without these lines, so that a snippet cannot fail for another reason than its own.
"""
import os
import re
import subprocess
import sys

MARK = re.compile(r"//\s*error:\s*(.+?)\s*$")


def compile_errors(compiler, include, source, name):
    """[(line of the snippet, message)]; line 0 for an error elsewhere."""
    answer = subprocess.run(
        [compiler, "-std=c++20", "-fsyntax-only", f"-I{include}", "-Wall", "-Werror=unused-result",
         "-fdiagnostics-color=never", "-x", "c++", "-"],
        input=f'#line 1 "{name}"\n' + source, capture_output=True, text=True, check=False,
        env={**os.environ, "LC_ALL": "C"})
    errors = []
    for line in answer.stderr.splitlines():
        match = re.match(r"(.*?):(\d+):(?:\d+:)? (?:fatal )?error: (.*)", line)
        if match:
            errors.append((int(match[2]) if match[1] == name else 0, match[3]))
    if answer.returncode and not errors:
        errors.append((0, answer.stderr))
    return errors


def main():
    compiler, include, path = sys.argv[1:]
    name = os.path.basename(path)
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    expected = {}
    for number, line in enumerate(lines, 1):
        if match := MARK.search(line):
            expected[number] = [text.strip() for text in match[1].split(" | ")]
    problems = []
    if not expected:
        problems.append("no line is marked with // error:")

    control = "\n".join("" if number in expected else line for number, line in enumerate(lines, 1))
    for line, message in compile_errors(compiler, include, control + "\n", name):
        problems.append(f"the control does not compile: line {line}: {message}")

    found = compile_errors(compiler, include, "\n".join(lines) + "\n", name)
    for number, texts in expected.items():
        messages = [message for line, message in found if line == number]
        if not messages:
            problems.append(f"line {number} compiles: {lines[number - 1].strip()}")
        elif not any(text in message for text in texts for message in messages):
            problems.append(f"line {number} fails for another reason: {messages}")
    for line, message in found:
        if line not in expected:
            problems.append(f"an error at an unmarked line {line}: {message}")
    print("\n".join(f"{name}: {problem}" for problem in problems) or f"{name} is refused, as it must be")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
