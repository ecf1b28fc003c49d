"""RFC 6455 8.1 and RFC 3629: texts that are UTF-8, and texts that are not, which fail at the first
bad byte. The sequences are mostly those of Markus Kuhn's decoder test."""

from raw_peer import CONTINUATION, PING, PONG, TEXT, echoed, frame, header
from row import Row

KOSME = "κόσμε".encode()

GOOD = [
    b"", "Hello-µ@ßöäüàá-UTF-8!!".encode(), KOSME,
    # first and last of each length
    "00", "c280", "e0a080", "f0908080", "7f", "dfbf", "efbfbf", "f48fbfbf",
    # around the surrogates, the replacement character, and the specials
    "ed9fbf", "ee8080", "efbfbd", "efbfb9", "efbfba", "efbfbb", "efbfbc", "efbbbf",
    # noncharacters, of all planes
    *(chr(plane << 16 | low).encode() for plane in range(17) for low in (0xfffe, 0xffff)),
    "efb790", "efb7af",
]

BAD = [
    # five and six bytes, and beyond U+10FFFF
    "f888808080", "fc8480808080", "f7bfbfbf", "fbbfbfbfbf", "fdbfbfbfbfbf", "f4908080", "f5808080",
    # continuations of nothing
    "80", "bf", "80bf", "80bf80", "80bf80bf", "80bf80bf80", "80bf80bf80bf",
    bytes(range(0x80, 0xc0)),
    # all first bytes, each with a space behind
    *(bytes([first]) + b" " for first in range(0xc0, 0x100)),
    # the last byte is missing, at the end or before others
    "c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf",
    "fdbfbfbfbf", "c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf",
    "c32020", "e28220", "f09f9220",
    # never
    "fe", "ff", "fefeffff",
    # overlong: a slash, the greatest of each length, NUL
    "c0af", "e080af", "f08080af", "f8808080af", "fc80808080af",
    "c1bf", "e09fbf", "f08fbfbf", "f887bfbfbf", "fc83bfbfbfbf",
    "c080", "e08080", "f0808080", "f880808080", "fc8080808080",
    # surrogates, single and in pairs
    "eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf",
    "eda080edb080", "eda080edbfbf", "edadbfedb080", "edadbfedbfbf",
    "edae80edb080", "edae80edbfbf", "edafbfedb080", "edafbfedbfbf",
    KOSME + bytes.fromhex("eda080") + b"edited",
    KOSME + bytes.fromhex("f4908080") + b"edited",
]

# From a short text that fits a vector to one that takes several, at every offset in one.
PADDING = [b"", b"x" * 7, b"x" * 31, b"x" * 63, "ä".encode() * 40, b"x" * 5000]


def sequence(text):
    return bytes.fromhex(text) if isinstance(text, str) else text


def first_bad(data):
    """Where the first byte stands that no continuation could make good (Unicode, table 3-7); None:
    only the end is bad. Python's incremental decoder notices a surrogate one byte later."""
    wanted, low, high = 0, 0x80, 0xbf
    for at, byte in enumerate(data):
        if wanted:
            if not low <= byte <= high:
                return at
            wanted -= 1
            low, high = 0x80, 0xbf
        elif byte >= 0x80:
            if not 0xc2 <= byte <= 0xf4:
                return at
            wanted = 1 if byte < 0xe0 else 2 if byte < 0xf0 else 3
            low = {0xe0: 0xa0, 0xf0: 0x90}.get(byte, 0x80)
            high = {0xed: 0x9f, 0xf4: 0x8f}.get(byte, 0xbf)
    return None


def octets(text, end=b""):
    """One frame a byte, the first of them a text."""
    frames = [frame(CONTINUATION if i else TEXT, text[i:i + 1], fin=False)
              for i in range(len(text))]
    return b"".join(frames) + end


def good_rows():
    for text in map(sequence, GOOD):
        yield Row(f"good {text.hex()}", frame(TEXT, text), echoed(TEXT, text))
        if text:
            yield Row(f"good {text.hex()}, a byte a frame", octets(text, frame(CONTINUATION)),
                      echoed(TEXT, text))
        for padding in PADDING[1:]:
            longer = padding + text + padding
            yield Row(f"good {text.hex()} within {len(longer)} bytes", frame(TEXT, longer),
                      echoed(TEXT, longer))
    for cut in range(1, len(KOSME)):
        yield Row(f"a text cut at {cut}", frame(TEXT, KOSME[:cut], fin=False)
                  + frame(CONTINUATION, KOSME[cut:]), echoed(TEXT, KOSME))
        yield Row(f"a text cut at {cut}, a ping between", frame(TEXT, KOSME[:cut], fin=False)
                  + frame(PING, b"?") + frame(CONTINUATION, KOSME[cut:]),
                  echoed(PONG, b"?") + echoed(TEXT, KOSME))


def bad_rows():
    for text in map(sequence, BAD):
        name = text.hex() if len(text) < 20 else text[:20].hex() + ".."
        yield Row(f"bad {name}", frame(TEXT, text), fails=1007)
        yield Row(f"bad {name}, after a good text", frame(TEXT, KOSME) + frame(TEXT, text),
                  echoed(TEXT, KOSME), fails=1007)
        yield Row(f"bad {name}, a byte a frame", octets(text, frame(CONTINUATION)), fails=1007)
        at = first_bad(text)
        if at is None:
            continue
        for padding in PADDING:
            # Nothing comes behind the first bad byte: the frame is not complete.
            begun = padding + text[:at + 1]
            unfinished = header(TEXT, len(begun) + 1000) + frame(TEXT, begun)[-len(begun):]
            yield Row(f"bad {name} at byte {len(begun) - 1} of a frame under way", unfinished,
                      fails=1007)
            yield Row(f"bad {name} at byte {len(begun) - 1} of a message under way",
                      frame(TEXT, begun, fin=False), fails=1007)
        # Not before the bad byte, either: the ping is still answered.
        if at > 0:
            yield Row(f"bad {name}, good until there", frame(TEXT, text[:at], fin=False)
                      + frame(PING, b"?") + header(CONTINUATION, 1000)
                      + frame(TEXT, text[at:at + 1])[-1:],
                      echoed(PONG, b"?"), fails=1007)


def cut_rows():
    """Prefixes: good only on a boundary; what is missing makes the message bad, not the frame."""
    for end in range(1, len(KOSME)):
        text = KOSME[:end]
        try:
            text.decode()
            yield Row(f"the first {end} bytes", frame(TEXT, text), echoed(TEXT, text))
        except UnicodeDecodeError:
            yield Row(f"the first {end} bytes, an end in a character", frame(TEXT, text),
                      fails=1007)
            yield Row(f"the first {end} bytes, an end in a later frame",
                      frame(TEXT, text, fin=False) + frame(PING, b"?") + frame(CONTINUATION),
                      echoed(PONG, b"?"), fails=1007)


def rows():
    yield from good_rows()
    yield from bad_rows()
    yield from cut_rows()
