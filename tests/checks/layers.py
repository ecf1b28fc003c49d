"""Compares every #include with the layers of ARCHITECTURE.md.

    layers.py ROOT

Prints each include that points against the arrows, and fails if there is one.
"""
import pathlib
import re
import sys

# Which layers each may include besides itself.
BELOW = {
    "base": set(),
    "protocol": {"base"},
    "net": {"base"},
    "http": {"net", "base"},
    "websocket": {"http", "net", "protocol", "base"},
    "hub": {"websocket", "http", "net", "protocol", "base"},
    "testing": {"websocket", "http", "net", "protocol", "base"},
}
EVERYTHING = set(BELOW)

# Headers that belong to no layer's directory, and what they may include. A layer that has all of
# that below it may include them in its sources.
BRIDGES = {
    "hotline/asio.h": {"base", "net", "protocol", "http", "websocket"},
    "hotline/asio_websocket.h": {"base", "net", "protocol", "http", "websocket"},
    "hotline/asio_start.h": {"base", "net"},
    "hotline/asio_stream.h": {"base", "net", "protocol", "http", "websocket"},
    "hotline/asio_use_task.h": {"base", "net"},
    "hotline/json.h": EVERYTHING,
    "hotline/testing.h": {"testing"},
    "hotline/json_convert.h": {"base"},
}
UMBRELLA = "hotline/hotline.h"
# The system's, whose directory has the name of a layer.
SYSTEM = {"net/if.h"}

# Libraries of others, and the layers that may use them.
FOREIGN = {
    "boost/beast": {"http"},
    "boost": {"net", "http", "websocket", "hub"},
    "hwy": {"protocol"},
    "openssl": {"protocol", "net"},
    "spdlog": set(),
    "CLI": set(),
}
FOREIGN_BRIDGES = {bridge: {"boost"} for bridge in BRIDGES}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def foreign_library(header):
    for library in FOREIGN:
        if header.startswith(library + "/"):
            return library
    return None


def layer_of_header(header):
    """The layer of <hotline/layer/x.h> or "layer/x.h"; None where it is not in one."""
    if header in SYSTEM:
        return None
    parts = header.removeprefix("hotline/").split("/")
    return parts[0] if len(parts) > 1 and parts[0] in BELOW else None


def complaint_in_layer(layer, header, quoted, public, test):
    if header == UMBRELLA:
        return "the umbrella header is for users"
    if test and header.startswith(("support/", "hotline/testing")):
        return None
    if header in BRIDGES:
        if BRIDGES[header] <= BELOW[layer] | {layer} and not public:
            return None
        return f"{layer} may not include a bridge"
    target = layer_of_header(header)
    if target:
        if target != layer and target not in BELOW[layer]:
            return f"{layer} may not include {target}"
        if public and not header.startswith("hotline/"):
            return "a public header may not include an internal one"
        if quoted == header.startswith("hotline/"):
            return 'write <hotline/layer/header.h> and "layer/header.h"'
        return None
    library = foreign_library(header)
    if library and public:
        return f"a public header may not include {library}"
    if library and layer not in FOREIGN[library]:
        return f"{layer} may not include {library}"
    if quoted:
        return 'write "layer/header.h", relative to src/'
    return None


def complaint_outside(path, header):
    """include/hotline/*.h, tools/ and examples/."""
    if path.startswith("include/"):
        own = path.removeprefix("include/")
        library = foreign_library(header)
        if library:
            if library in FOREIGN_BRIDGES.get(own, set()):
                return None
            return f"{own} may not include {library}"
        if own == UMBRELLA:
            return "the umbrella includes no bridge" if header in BRIDGES else None
        target = layer_of_header(header)
        if target and not header.startswith("hotline/"):
            return "a public header may not include an internal one"
        if target and target not in BRIDGES.get(own, set()):
            return f"{own} may not include {target}"
        return None
    if path.startswith("examples/"):
        if layer_of_header(header) and not header.startswith("hotline/"):
            return "an example uses public headers only"
        if foreign_library(header) not in (None, "boost", "boost/beast"):
            return f"an example may not include {foreign_library(header)}"
    if path.startswith("tools/") and foreign_library(header) in ("boost/beast", "hwy", "openssl"):
        return f"tools may not include {foreign_library(header)}"
    return None


def complaints(root):
    root = pathlib.Path(root)
    found = []
    seen = 0
    for directory in ("include", "src", "tools", "examples"):
        for file in sorted((root / directory).rglob("*")):
            if file.suffix not in (".h", ".cc"):
                continue
            seen += 1
            path = file.relative_to(root).as_posix()
            inside = re.match(r"(src|include/hotline)/(\w+)/", path)
            if inside and inside.group(2) not in BELOW:
                found.append(f"{path}: {inside.group(2)} is not a layer")
                continue
            text = file.read_text(encoding="utf-8")
            for match in INCLUDE.finditer(text):
                quoted, header = match.group(1) == '"', match.group(2)
                if inside:
                    why = complaint_in_layer(
                        inside.group(2), header, quoted, inside.group(1) != "src",
                        path.endswith(("_test.cc", "_fixture.h", "_fixture.cc")))
                else:
                    why = complaint_outside(path, header)
                if why:
                    line = text.count("\n", 0, match.start(2)) + 1
                    found.append(f"{path}:{line}: {header}: {why}")
    if not seen:
        found.append(f"no sources below {root}")
    return found


if __name__ == "__main__":
    problems = complaints(sys.argv[1])
    print("\n".join(problems) or "every include follows the arrows")
    sys.exit(1 if problems else 0)
