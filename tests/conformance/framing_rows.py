"""RFC 6455 5 and 6: lengths, control frames, reserved bits and opcodes, masks, fragments."""

from raw_peer import (BINARY, CLOSE, CONTINUATION, PING, PONG, RSV1, RSV2, RSV3, TEXT, close,
                      closed, echoed, frame, header)
from row import Row

HELLO = b"Hello, world!"
SIZES = (0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 124, 125, 126, 127, 128, 129,
         1000, 4096, 65534, 65535, 65536, 65537, 100000)


def lengths():
    for size in SIZES:
        for opcode, filler in ((TEXT, b"*"), (BINARY, b"\xfe")):
            payload = filler * size
            yield Row(f"a message of {size} bytes, opcode {opcode}", frame(opcode, payload),
                      echoed(opcode, payload))
    every = bytes(range(256)) * 3
    yield Row("every byte under a mask", frame(BINARY, every), echoed(BINARY, every))
    yield Row("a mask of zeros", frame(TEXT, HELLO, mask=b"\0\0\0\0"), echoed(TEXT, HELLO))
    for size in (0, 1, 125):
        for form in (16, 64):
            yield Row(f"{size} in {form} bits", header(TEXT, size, form=form), fails=1002)
    for size in (126, 65535):
        yield Row(f"{size} in 64 bits", header(BINARY, size, form=64), fails=1002)
    yield Row("the highest bit of a length", header(BINARY, 1 << 63, form=64), fails=1002)
    yield Row("all bits of a length", header(BINARY, (1 << 64) - 1, form=64), fails=1002)
    yield Row("a length of 2^63 - 1", header(BINARY, (1 << 63) - 1, form=64), fails=1009)


def masks():
    for opcode in (TEXT, BINARY, PING, PONG, CLOSE):
        yield Row(f"an unmasked frame, opcode {opcode}", frame(opcode, mask=None), fails=1002)
        yield Row(f"its header alone is enough, opcode {opcode}", bytes([0x80 | opcode, 5]),
                  fails=1002)
    yield Row("a masked frame, then an unmasked one",
              frame(TEXT, HELLO) + frame(TEXT, HELLO, mask=None), echoed(TEXT, HELLO), fails=1002)


def control_frames():
    for payload in (b"", HELLO, b"\0\xff\xfe\xfd\xfc\xfb\0\xff", b"\xfe" * 125):
        yield Row(f"a ping of {len(payload)} bytes", frame(PING, payload), echoed(PONG, payload))
        yield Row(f"an unsolicited pong of {len(payload)} bytes", frame(PONG, payload))
    yield Row("a pong, then a ping", frame(PONG, b"unsolicited") + frame(PING, b"ping"),
              echoed(PONG, b"ping"))
    many = [b"payload-%d" % i for i in range(10)]
    yield Row("ten pings", b"".join(frame(PING, one) for one in many),
              b"".join(echoed(PONG, one) for one in many))
    for opcode in (PING, PONG, CLOSE):
        yield Row(f"126 bytes in a control frame, opcode {opcode}", frame(opcode, b"\xfe" * 126),
                  fails=1002)
        yield Row(f"its second byte is enough, opcode {opcode}", bytes([0x80 | opcode, 0xfe]),
                  fails=1002)
        yield Row(f"a control frame of 64 bits' length, opcode {opcode}",
                  bytes([0x80 | opcode, 0xff]), fails=1002)
        yield Row(f"a control frame in two, opcode {opcode}",
                  frame(opcode, b"frag", fin=False) + frame(CONTINUATION, b"ment"), fails=1002)
        yield Row(f"a control frame without FIN, between fragments, opcode {opcode}",
                  frame(TEXT, b"frag", fin=False) + frame(opcode, b"", fin=False), fails=1002)


def reserved():
    for rsv in range(1, 8):
        bits = rsv << 4
        assert bits <= RSV1 | RSV2 | RSV3
        for opcode in (TEXT, BINARY, CLOSE, PING, PONG):
            yield Row(f"reserved bits {rsv}, opcode {opcode}",
                      frame(TEXT, HELLO) + frame(opcode, HELLO, rsv=bits) + frame(PING),
                      echoed(TEXT, HELLO), fails=1002)
        yield Row(f"reserved bits {rsv} in a continuation",
                  frame(TEXT, HELLO, fin=False) + frame(CONTINUATION, HELLO, rsv=bits), fails=1002)
        yield Row(f"reserved bits {rsv}: two bytes are enough", bytes([0x81 | bits, 0x85]),
                  fails=1002)
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        for payload in (b"", HELLO):
            yield Row(f"opcode {opcode} with {len(payload)} bytes",
                      frame(TEXT, HELLO) + frame(opcode, payload) + frame(PING),
                      echoed(TEXT, HELLO), fails=1002)
        yield Row(f"opcode {opcode}: two bytes are enough", bytes([0x80 | opcode, 0x85]),
                  fails=1002)


def split(opcode, *parts, between=b""):
    """A message in frames, with `between` after each but the last."""
    frames = [frame(CONTINUATION if i else opcode, part, fin=i == len(parts) - 1)
              for i, part in enumerate(parts)]
    return between.join(frames)


def fragments():
    ping, pong = frame(PING, b"between"), echoed(PONG, b"between")
    yield Row("a text in two", split(TEXT, b"frag", b"ment"), echoed(TEXT, b"fragment"))
    yield Row("a ping in the midst", split(TEXT, b"frag", b"ment", between=ping),
              pong + echoed(TEXT, b"fragment"))
    yield Row("a pong in the midst", split(BINARY, b"frag", b"ment", between=frame(PONG, b"x")),
              echoed(BINARY, b"fragment"))
    five = [b"fragment%d" % i for i in range(1, 6)]
    yield Row("five, with pings", split(TEXT, *five, between=ping),
              pong * 4 + echoed(TEXT, b"".join(five)))
    yield Row("two messages in turn", split(TEXT, b"a", b"b") + split(BINARY, b"c", b"d"),
              echoed(TEXT, b"ab") + echoed(BINARY, b"cd"))
    yield Row("empty fragments", split(TEXT, b"", b"", b""), echoed(TEXT))
    yield Row("an empty one in the middle", split(TEXT, b"mid", b"", b"dle"),
              echoed(TEXT, b"middle"))
    yield Row("an empty one at the end", split(BINARY, b"end", b""), echoed(BINARY, b"end"))
    for size in (1, 125, 126, 65535, 65536, 70000):
        yield Row(f"fragments of {size}", split(BINARY, b"\x80" * size, b"\x81" * size),
                  echoed(BINARY, b"\x80" * size + b"\x81" * size))
    for fin in (True, False):
        continuation = frame(CONTINUATION, b"of nothing", fin=fin)
        yield Row(f"a continuation first, FIN {fin}", continuation, fails=1002)
        yield Row(f"a continuation after a message, FIN {fin}",
                  frame(TEXT, HELLO) + continuation + frame(TEXT, HELLO), echoed(TEXT, HELLO),
                  fails=1002)
        yield Row(f"a continuation after a message in fragments, FIN {fin}",
                  split(TEXT, b"frag", b"ment") + continuation, echoed(TEXT, b"fragment"),
                  fails=1002)
        for opcode in (TEXT, BINARY):
            yield Row(f"opcode {opcode} within a message, FIN {fin}",
                      frame(TEXT, b"frag", fin=False) + frame(opcode, b"ment", fin=fin), fails=1002)
            yield Row(f"its header is enough: opcode {opcode}, FIN {fin}",
                      frame(TEXT, b"frag", fin=False) + header(opcode, 5, fin=fin)[:2], fails=1002)
    yield Row("a message within a message, after a ping",
              split(TEXT, *five, between=ping) + frame(TEXT, b"frag", fin=False) + ping
              + frame(TEXT, b"other"),
              pong * 4 + echoed(TEXT, b"".join(five)) + pong, fails=1002)
    yield Row("a close in the midst", frame(TEXT, b"frag", fin=False) + close(1000)
              + frame(CONTINUATION, b"ment"), closed(1000), ends=True)


def many_messages():
    texts = [b"message %d" % i for i in range(500)]
    yield Row("five hundred messages at once", b"".join(frame(TEXT, text) for text in texts),
              b"".join(echoed(TEXT, text) for text in texts))
    mixed = [bytes([65 + i % 26]) * (i * i % 3001) for i in range(150)]
    yield Row("messages of all sizes", b"".join(frame(BINARY, one) for one in mixed),
              b"".join(echoed(BINARY, one) for one in mixed))


def rows():
    for group in (lengths, masks, control_frames, reserved, fragments, many_messages):
        yield from group()


def size_rows():
    """The groups 9 and 10 of the Autobahn Testsuite, smaller."""
    for size in (1 << 16, 1 << 18, 1 << 20, 1 << 22):
        text, binary = b"Hotline*" * (size // 8), bytes(range(256)) * (size // 256)
        yield Row(f"a text of {size}", frame(TEXT, text), echoed(TEXT, text))
        yield Row(f"a binary message of {size}", frame(BINARY, binary), echoed(BINARY, binary))
    text = "Käse, 電話 ☎ 📞. ".encode() * 20000
    yield Row("text of all lengths of UTF-8", frame(TEXT, text), echoed(TEXT, text))
    for size in (64, 256, 1024, 4096, 16384, 65536, 262144):
        parts = [text[i:i + size] for i in range(0, len(text), size)]
        yield Row(f"a text in frames of {size}", split(TEXT, *parts), echoed(TEXT, text))
    parts = [b"*" * 1300] * 50 + [b"*" * 536]
    yield Row("65536 in frames of 1300", split(BINARY, *parts), echoed(BINARY, b"*" * 65536))


def limit_rows():
    """For a server that takes messages of 1000 bytes in 3 frames."""
    most = b"*" * 1000
    for opcode in (TEXT, BINARY):
        yield Row(f"the limit exactly, opcode {opcode}", frame(opcode, most), echoed(opcode, most))
        yield Row(f"the limit in fragments, opcode {opcode}", split(opcode, most[:300], most[300:]),
                  echoed(opcode, most))
        yield Row(f"a byte over, opcode {opcode}", frame(opcode, most + b"*"), fails=1009)
        yield Row(f"its length is enough, opcode {opcode}", header(opcode, 1001, mask=b""),
                  fails=1009)
        yield Row(f"a gigabyte's length, opcode {opcode}", header(opcode, 1 << 30, mask=b""),
                  fails=1009)
        yield Row(f"a byte over, in a later fragment, opcode {opcode}",
                  frame(opcode, most[:600], fin=False) + header(CONTINUATION, 401, mask=b""),
                  fails=1009)
        yield Row(f"three frames, opcode {opcode}", split(opcode, b"a", b"b", b"c"),
                  echoed(opcode, b"abc"))
        yield Row(f"three frames and pings, opcode {opcode}",
                  split(opcode, b"a", b"b", b"c", between=frame(PING)),
                  echoed(PONG) * 2 + echoed(opcode, b"abc"))
        yield Row(f"a fourth frame, opcode {opcode}", split(opcode, b"a", b"b", b"c", b"d"),
                  fails=1008)
        yield Row(f"a fourth frame, though empty, opcode {opcode}",
                  split(opcode, b"", b"", b"", b""), fails=1008)
        yield Row(f"each message anew, opcode {opcode}", split(opcode, b"a", b"b", b"c") * 3,
                  echoed(opcode, b"abc") * 3)
