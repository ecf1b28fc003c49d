"""The echo of the first page includes no Boost, so that it compiles in about a second.

    echo_includes.py ROOT COMPILER
"""
import pathlib
import subprocess
import sys

root, compiler = pathlib.Path(sys.argv[1]), sys.argv[2]
echo = root / "tests" / "package" / "echo.cc"
answer = subprocess.run(
    [compiler, "-std=c++20", f"-I{root / 'include'}", "-M", str(echo)],
    capture_output=True, text=True, check=False)
if answer.returncode:
    sys.exit(answer.stderr)
headers = answer.stdout.replace("\\\n", " ").split()[1:]
if not any(header.endswith("hotline/hotline.h") for header in headers):
    sys.exit("the compiler did not list the headers of the echo")
foreign = [header for header in headers
           if any(f"/{library}/" in header for library in ("boost", "hwy", "openssl", "spdlog"))]
if foreign:
    sys.exit(f"the echo includes {len(foreign)} headers of other libraries: {foreign[0]} ...")
print(f"{len(headers)} headers, none of another library")
