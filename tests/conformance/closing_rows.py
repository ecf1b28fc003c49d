"""RFC 6455 5.5.1 and 7: the closing handshake."""

from raw_peer import (BINARY, CLOSE, CONTINUATION, PING, TEXT, close, close_payload, closed, echoed,
                      frame, header)
from row import Row

GOOD_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001,
              3999, 4000, 4001, 4999)
BAD_CODES = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 5001, 9999,
             65535)

AFTER = {
    "another close": close(1001),
    "a ping": frame(PING, b"late"),
    "a text": frame(TEXT, b"late"),
    "a text in fragments": frame(TEXT, b"la", fin=False) + frame(CONTINUATION, b"te"),
    "half a frame": frame(BINARY, b"late")[:5],
    "a frame without a mask": frame(TEXT, b"late", mask=None),
    "bytes that are no frame": b"\xff" * 3000,
}


def rows():
    yield Row("a close without a code", close(), closed(), ends=True)
    yield Row("one byte of a code", frame(CLOSE, b"\x03"), fails=1002)
    for code in GOOD_CODES:
        for reason in (b"", b"Good bye", "Auf Wiedersehn, 電話 ☎".encode(), b"*" * 123):
            yield Row(f"{code} with a reason of {len(reason)} bytes", close(code, reason),
                      closed(code), ends=True)
    for code in BAD_CODES:
        for reason in (b"", b"Good bye"):
            yield Row(f"{code} with a reason of {len(reason)} bytes", close(code, reason),
                      fails=1002)
    yield Row("a reason of 124 bytes", close(1000, b"*" * 124), fails=1002)
    for reason in (b"\xff", b"Good \xed\xa0\x80bye", b"half a \xc3", b"\xc0\xaf",
                   b"*" * 122 + b"\x80"):
        yield Row(f"the reason {reason[:20]!r}", close(1000, reason), fails=1007)
    yield Row("the code's rule comes before the reason's", close(1005, b"\xff"), fails=1002)
    yield Row("a close under way is waited for", frame(PING, b"1") + close(1000, b"bye")[:-1]
              + close(1000, b"bye")[-1:], echoed(10, b"1") + closed(1000), ends=True)

    for what, after in AFTER.items():
        yield Row(f"after a close, {what}", close(1000) + after, closed(1000), ends=True)
        yield Row(f"after a close without a code, {what}", close() + after, closed(), ends=True)
        # One that failed does not listen, either.
        yield Row(f"after a failure, {what}", header(3, 0) + after, fails=1002)
    yield Row("a message before", frame(TEXT, b"Hello") + close(1000),
              echoed(TEXT, b"Hello") + closed(1000), ends=True)
    large = b"*" * (256 * 1024)
    yield Row("a large message before, and a ping behind",
              frame(TEXT, large) + close(1000) + frame(PING),
              echoed(TEXT, large) + closed(1000), ends=True)
    yield Row("many messages before", frame(BINARY, close_payload(1000)) * 300 + close(3000),
              echoed(BINARY, close_payload(1000)) * 300 + closed(3000), ends=True)
